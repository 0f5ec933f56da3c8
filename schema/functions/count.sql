-- A slotted counter (tables/V2__count.sql): a writer takes any free slot, and never waits for another.
--
-- Statement triggers call it, so that a COPY of a million rows adds one number to one slot, and the count follows what
-- really happened (on conflict do nothing, COPY, psql, MERGE, rollback), which a count kept by the API would not.
--
-- What inserts pay for it: ../../bench/results/2026-11-schema/README.md#indexes.

-- security definer: the runtime role may insert warriors, but not write the count. listed: bytes in the pending lists.
create or replace function public.warrior_count_add(change bigint, listed bigint) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    -- A repeatable read transaction may not update a row that changed after its snapshot: 40001, without a conflict
    -- that matters. Such a transaction adds a slot instead; `schema recount` merges the slots.
    if current_setting('transaction_isolation') in ('read committed', 'read uncommitted') then
        update public.warrior_count
           set n = n + change, list_bytes = list_bytes + listed
         where slot = (select slot from public.warrior_count limit 1 for update skip locked);
        if found then
            return;
        end if;
    end if;
    -- An update of a million rows in as many statements must not leave as many slots; bytes that are not told only make
    -- the next flush later.
    if change <> 0 then
        insert into public.warrior_count (n, list_bytes) values (change, listed);
    end if;
end
$$;
