-- A flush of the GIN pending lists, bounded in time.
--
-- A GIN index with fastupdate appends new rows to a pending list, which every search reads from end to end. The writer
-- whose row overfills the list moves all of it into the index, and waits meanwhile: a larger list only moves that stall
-- about. The server therefore flushes while it writes, before a writer has to (src/store/postgres/backlog.rs says when). Only
-- the owner of an index may flush, hence security definer.
--
-- gin_clean_pending_list does not end while writers add: each round takes what came during the round before, and rounds
-- that shrink cost more for each row. statement_timeout then cuts it off, in the middle of a round whose work is lost.
-- A writer's own flush takes what stood in the list when it began, in one round, and ends. So the flush is an insert
-- that is undone by a division by zero in its RETURNING; what moved into the indexes stays there, since an index is not
-- undone. Each flush leaves one dead row behind, which vacuum removes.
--
-- gin_pending_list_limit: 64 kB, the least, makes sure that this insert flushes. The writers' own limit is 32 MB
-- (postgres-conf/roles.sql), which they do not reach while a server flushes.
--
-- work_mem: a flush moves one portion of this size at a time, so that one which is cut off keeps what it has done. A
-- list of the length at which the server flushes is one portion.
--
-- The row is a copy of one that is there, under a new id: a made-up row would fail the checks of an adopted table.
-- Where a unique constraint or a trigger refuses the copy, too, gin_clean_pending_list has to do.
--
-- Measured: ../../bench/results/2026-11-schema/README.md#flush.

create or replace function public.warrior_flush() returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set gin_pending_list_limit = '64kB'
set work_mem = '16MB'
as $$
declare
    nothing integer;
    index regclass;
begin
    -- One flusher and at most one waiter, however many servers there are: each of the two holds a connection of the
    -- pool. A third caller has nothing to do, since the waiter's flush has yet to begin and takes what stands in the
    -- lists now. The waiter's place is a lock of the session, since it is released in the middle of the transaction,
    -- errors included.
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

    begin
        -- A lock on the table keeps its writers out, too, so that there is nothing to flush.
        lock table public.warrior in row exclusive mode nowait;
        -- The division undoes the row after the indexes have it, and before any statement trigger sees it.
        insert into public.warrior (id, name, dob, fight_skills)
        select gen_random_uuid(), name, dob, fight_skills from public.warrior order by id desc limit 1
        returning 1 / (length(name) - length(name)) into nothing;
        if exists (select from public.warrior) then
            raise exception 'a trigger has dropped the row';
        end if;
    exception
        when division_by_zero then null;
        when lock_not_available then return 0;
        when others then
            foreach index in array array[
                to_regclass('public.idx_warrior_name_parts'),
                to_regclass('public.idx_warrior_skill_keys')
            ] loop
                perform gin_clean_pending_list(index);
            end loop;
    end;

    -- A small dictionary has a short list, and one that does not grow has none.
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
