-- The GIN pending lists of the search indexes: how long they are, and a flush of them, bounded in time.
--
-- A GIN index with fastupdate appends new rows to a pending list, which every search reads from end to end. The writer
-- whose row overfills the list moves all of it into the index, and waits meanwhile: a larger list only moves that stall
-- about. The servers therefore flush while they write, before a writer has to (src/store/postgres/backlog.rs says when).
--
-- How long the lists are is said by the database, since they are one for all servers, and rows of psql or an import wait
-- in them, too. pgstatginindex knows it, but its extension is a superuser's to install. So the triggers add up what
-- writers have listed (tables/V2__count.sql), and a flush writes down the sum it began with. What a statement that was
-- undone has listed is not in it; the next flush takes that along.

-- What was listed after a flush that began with the sum flushed. A sum that has fallen was emptied by hand: all of it waits.
create or replace function public.warrior_waiting(listed bigint, flushed bigint) returns bigint
language sql immutable
as $$
    select listed - case when flushed <= listed then flushed else 0 end
$$;

-- Bytes that wait in the lists, and those that searches have read of them since the last flush, to which newly_read is
-- added first. A database that is read only, as a standby is, flushes nothing: nothing waits there.
create or replace function public.warrior_pending(newly_read bigint, out waiting bigint, out read bigint)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    listed bigint;
    flushed bigint;
begin
    if current_setting('transaction_read_only') = 'on' then
        waiting := 0;
        read := 0;
        return;
    end if;
    -- Lock order: TRUNCATE takes warrior_count before warrior_flushed; the other order could deadlock with it.
    perform from public.warrior_count limit 0;
    if newly_read > 0 then
        -- There is no row before the first flush, nor after a TRUNCATE.
        insert into public.warrior_flushed as last (list_bytes, read_bytes, flushes)
        values (0, newly_read, 0)
        on conflict (one) do update set read_bytes = last.read_bytes + excluded.read_bytes;
    end if;
    listed := (select coalesce(sum(list_bytes), 0) from public.warrior_count);
    select list_bytes, read_bytes into flushed, read from public.warrior_flushed;
    waiting := public.warrior_waiting(listed, flushed);
    read := coalesce(read, 0);
end
$$;

-- Whether another session empties a pending list of these indexes: it holds a lock on the first page meanwhile.
create or replace function public.warrior_is_cleaned(indexes regclass[]) returns boolean
language sql stable
as $$
    select exists (
        select from pg_catalog.pg_locks
         where locktype = 'page' and relation = any (indexes::oid[]) and pid <> pg_catalog.pg_backend_pid()
           and database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()))
$$;

-- A flush, unless fewer bytes wait than are worth one. Gives the bytes that wait afterwards, or null where another session
-- is at it, or holds the table. Only the owner of an index may flush, hence security definer.
--
-- Mutual exclusion: an advisory lock of the transaction, so that one flushes however many servers there are, and a server
-- that dies leaves nothing locked. Who does not get it has nothing to do. The sum is read under the lock, so that of two
-- who find the same list too long the second one flushes nothing.
--
-- gin_clean_pending_list does not end while writers add: each round takes what came during the round before, and rounds
-- that shrink cost more for each row. statement_timeout then cuts it off, in the middle of a round whose work is lost.
-- A writer's own flush takes what stood in the list when it began, in one round, and ends. So the flush is an insert
-- that is undone by a division by zero in its RETURNING; what moved into the indexes stays there, since an index is not
-- undone. Each flush leaves one dead row behind, which vacuum removes.
--
-- gin_pending_list_limit: 64 kB, the least, makes sure that this insert flushes. The writers' own limit is 64 MB
-- (postgres-conf/roles.sql), which they do not reach while a server flushes.
--
-- portion_kb: a flush sorts this much in memory, moves it and takes it off the list, then the next. One that is cut off
-- keeps the portions it has done. Each portion visits most of the index, so larger ones cost less for each row.
--
-- The row is a copy of one that is there, under a new id: a made-up row would fail the checks of an adopted table.
-- Where a unique constraint or a trigger refuses the copy, too, gin_clean_pending_list has to do.
--
-- Measured: ../../bench/results/2026-11-schema/README.md#flush.
create or replace function public.warrior_flush(worth bigint, portion_kb integer) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set gin_pending_list_limit = '64kB'
as $$
declare
    nothing integer;
    index regclass;
    indexes regclass[];
    waiting bigint;
    listed bigint;
begin
    if not pg_try_advisory_xact_lock(33602666402246515) then
        return null;
    end if;
    listed := (select coalesce(sum(list_bytes), 0) from public.warrior_count);
    waiting := public.warrior_waiting(listed, (select list_bytes from public.warrior_flushed));
    if waiting < worth then
        return waiting;
    end if;
    perform set_config('work_mem', portion_kb || 'kB', true), set_config('maintenance_work_mem', portion_kb || 'kB', true);
    indexes := array(
        select i.indexrelid::regclass
          from pg_index as i
          join pg_class as c on c.oid = i.indexrelid
          join pg_am as am on am.oid = c.relam
         where i.indrelid = 'public.warrior'::regclass and i.indisready and am.amname = 'gin');
    -- An autovacuum empties the list, too, and holds this lock meanwhile; the insert would leave the list to it.
    if public.warrior_is_cleaned(indexes) then
        return null;
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
        when lock_not_available then return null;
        when others then
            foreach index in array indexes loop
                perform gin_clean_pending_list(index);
            end loop;
    end;

    -- One that began meanwhile may have kept the insert from the list.
    if public.warrior_is_cleaned(indexes) then
        return null;
    end if;

    -- A small dictionary has a short list, and one that does not grow has none.
    if pg_relation_size('public.warrior_skill') > 1024 * 1024 then
        begin
            insert into public.warrior_skill (skill)
            values ('flush')
            returning 1 / (length(skill) - 5) into nothing;
        exception when division_by_zero then null;
        end;
    end if;

    insert into public.warrior_flushed as last (list_bytes, read_bytes, flushes)
    values (listed, 0, 1)
    on conflict (one) do update set list_bytes = excluded.list_bytes, read_bytes = 0, flushes = last.flushes + 1;
    return (select greatest(0, sum(list_bytes) - listed) from public.warrior_count);
end
$$;
