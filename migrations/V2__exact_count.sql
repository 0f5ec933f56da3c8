-- An exact count without counting.
--
-- count(*) over 1,000,000 rows takes 55 ms and grows. One counter row would make every writer wait
-- for the one before it to commit. So the count is a sum over slots, and a writer takes any slot that
-- nobody holds (for update skip locked), or adds one if all are held: no writer waits for another,
-- not even for one that sits idle in its transaction. There are as many slots as there ever were
-- writers at once, so the sum reads at most max_connections rows.
--
-- It costs 13 % of the insert speed of the bare table (V1), and a few percent of that of the whole schema.
--
-- Triggers once per statement, not per row: a COPY of a million rows adds one number to one slot.
-- They see what really happened (on conflict do nothing, COPY, psql, MERGE, rollback), which a count
-- kept by the API would not. Not seen: disabled triggers (session_replication_role = replica) and
-- logical replication; `schema recount` repairs that.

create table if not exists public.warrior_count (
    slot bigint generated always as identity primary key,
    n bigint not null
) with (
    -- A slot is updated by every insert. Room in the page makes those updates heap-only: no index
    -- entry, and the dead versions are pruned by the next reader instead of waiting for vacuum.
    fillfactor = 10,
    -- What pruning leaves is vacuumed after a thousand dead versions, however few slots there are.
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_cost_delay = 0
);

-- security definer: the runtime role may insert warriors, but not write the count.
create or replace function public.warrior_count_add(change bigint) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    -- A repeatable read transaction may not update a row that changed after its snapshot, and would
    -- fail with 40001 although it conflicts with nobody. It adds a slot; `schema recount` merges them.
    if current_setting('transaction_isolation') in ('read committed', 'read uncommitted') then
        update public.warrior_count
           set n = n + change
         where slot = (select slot from public.warrior_count limit 1 for update skip locked);
        if found then
            return;
        end if;
    end if;
    insert into public.warrior_count (n) values (change);
end
$$;
revoke execute on function public.warrior_count_add from public;

create or replace function public.warrior_deleted() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    removed constant bigint := (select count(*) from removed_rows);
begin
    if removed > 0 then
        perform public.warrior_count_add(-removed);
    end if;
    return null;
end
$$;

-- Whoever may execute it could put it on a table of their own and so change the count; firing it on
-- warrior needs no such right.
revoke execute on function public.warrior_deleted from public;

create or replace trigger warrior_deleted
    after delete on public.warrior
    referencing old table as removed_rows
    for each statement execute function public.warrior_deleted();
