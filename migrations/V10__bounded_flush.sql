-- A flush that ends.
--
-- V6 empties the lists with gin_clean_pending_list, which goes on until a list is empty. While writers add
-- it never is: each round takes what came during the round before, and rounds that shrink cost more and
-- more for each row (a key is looked up once in a round, however many rows hold it). After 2 s the role's
-- statement_timeout cuts it off, in the middle of a round whose work is lost; and since only one may empty
-- a list at a time, it has grown meanwhile, until the next writer that finds it over its limit has to
-- empty all of it inside its own statement. Of 5 flushes in 9 s under full load, 4 were cut off.
--
-- A writer does it better: it takes what stood in the list when it began, in one round, and ends. So the
-- flush is an insert, of a row that is never there: the division by zero in its RETURNING undoes it after
-- the indexes have it and before any trigger sees it. What the flush moved stays moved, since an index is not
-- undone. Two settings of the function make sure that it is this insert that empties the lists, and in one
-- round: a list limit of 64 kB, the least, and enough memory. The writers' own limit is 32 MB
-- (postgres-conf/roles.sql), which they do not reach while somebody flushes.
-- Each flush leaves one dead row behind, three a second under full load, which vacuum removes.
--
-- The server calls it after every 4,096 rows, or a second after the last ones if there are 64; and while
-- more than twice as many wait, it adds one batch at a time (src/store/backlog.rs), so that the list stays
-- short when searches take the processors from the flush, too.
--
-- Creates in a closed loop, 2 cores, laboratory data, table of 0 to 1,000,000 rows, 5 s each; the two in
-- turn, median of 3 rounds (least - most); ms. Cut off: statements that ran into statement_timeout, flushes mostly.
--
--                                       rows/s                    p99                   longest    cut off
--     64 connections, V6            5,500 ( 5,400 -  7,300)     298 (57 - 305)             371         6
--                     this          9,100 ( 7,700 - 10,500)      37 (15 -  47)              71         0
--     256             V6           11,500 (10,000 - 13,200)     118 (113 - 632)            197         6
--                     this         11,600 (10,700 - 13,100)      51 (41 -  65)              76         0
--     500             V6           13,100 ( 9,600 - 13,700)     599 (241 - 772)            788         7
--                     this         13,100 ( 9,700 - 14,400)      76 (74 - 111)              98         0
--     256, and 32 that search for 8 letters
--                     V6            6,000 ( 4,300 -  7,500)   1,659 (982 - 1,897)        1,787         6
--                     this          6,800 ( 5,500 -  8,900)      91 (64 - 152)             128         0
--
-- Also tried, 256 connections, empty table, 7 to 9 s, one run each: V6 with a limit of 64 MB for the writers,
-- 9,700 rows/s, since its flush goes on all the same; this one after every 1,024 rows, 10,800 (p99 76 ms);
-- 2,048, 11,200 (68); 4,096, 12,700 (95); 8,192, 15,200 (64), but a search then reads twice the list.

create or replace function public.warrior_flush() returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set gin_pending_list_limit = '64kB'
set work_mem = '64MB'
as $$
declare
    nothing integer;
begin
    -- One flushes and at most one waits for its turn, however many servers there are: each of the two holds a
    -- connection of the pool. Whoever finds somebody waiting has nothing to do: that flush has yet to begin, and
    -- takes along what stands in the lists now. The waiter's place is a lock of the session, since it is given
    -- back in the middle of the transaction; and in any case.
    if not pg_try_advisory_xact_lock(33602666402246515) then
        if not pg_try_advisory_lock(33602666402246516) then
            return 0;
        end if;
        begin
            perform pg_advisory_xact_lock(33602666402246515);
        exception when query_canceled or others then
            perform pg_advisory_unlock(33602666402246516);
            raise;
        end;
        perform pg_advisory_unlock(33602666402246516);
    end if;

    -- What is inserted here is undone before any trigger sees it, and by then the indexes are flushed.
    begin
        -- Whoever holds the table keeps its writers out, too.
        lock table public.warrior in row exclusive mode nowait;
        -- An id of its own, since that of an adopted table may have no default.
        insert into public.warrior (id, name, dob, fight_skills)
        values (gen_random_uuid(), 'flush', date '2000-01-01', '{flush}')
        returning 1 / (length(name) - 5) into nothing;
        -- A trigger of an adopted table has changed the name, or left the row out: undone all the same.
        raise division_by_zero;
    exception
        when division_by_zero then null;
        when lock_not_available then return 0;
    end;

    -- The list of a small dictionary is short, and one that does not grow has none.
    if pg_relation_size('public.warrior_skill') > 1024 * 1024 then
        begin
            insert into public.warrior_skill (skill)
            values ('flush')
            returning 1 / (length(skill) - 5) into nothing;
        exception when division_by_zero then null;
        end;
    end if;
    return 0;
end
$$;

-- Autovacuum empties the list, too, and nobody else can meanwhile. With the pauses that it makes by default the
-- list was seen to grow to 6,200, 13,800 and 23,400 rows in three runs of 9 s under full load; without them, to
-- 7,700, 8,200 and 8,300. The price: it takes its share of the processors at once, 6 to 17 % fewer rows/s.
alter table public.warrior set (autovacuum_vacuum_cost_delay = 0);
