-- Makes count and dictionaries agree with the table, while writers go on.
--
-- No writer is locked out. Every transaction changes the table and the count together, so within one
-- snapshot their difference is the drift alone, whoever is writing; adding it to the count repairs it.
-- The dictionaries only gain entries and lose copies: removing an entry while a writer relies on it
-- would hide that writer's rows from the search.

create or replace function public.warrior_recount(
    out count_before bigint, out count_after bigint, out skills_added bigint, out dates_added bigint)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    drift bigint;
begin
    -- The lock of `schema apply` and `schema recount`: two repairs at once would repair twice.
    perform pg_advisory_xact_lock(33602666402246514);
    -- The order in which TRUNCATE takes them; the other order could deadlock with it.
    lock table public.warrior in access share mode;

    -- Slots that repeatable read transactions added are merged into one.
    with free as (
        select slot from public.warrior_count for update skip locked
    ), merged as (
        delete from public.warrior_count as c using free where c.slot = free.slot returning c.n
    )
    insert into public.warrior_count (n) select sum(n) from merged having count(*) > 0;

    select counted, rows - counted
      into count_before, drift
      from (select coalesce(sum(n), 0) as counted from public.warrior_count) as c,
           (select count(*) as rows from public.warrior) as w;
    count_after := count_before + drift;
    if drift <> 0 then
        insert into public.warrior_count (n) values (drift);
    end if;

    insert into public.warrior_skill (skill)
    select used.skill
      from (select distinct skill from public.warrior, unnest(fight_skills) as skill) as used
     where used.skill is not null
       and not exists (select from public.warrior_skill as old where old.skill = used.skill);
    get diagnostics skills_added = row_count;

    insert into public.warrior_date (day, written)
    select day, to_json(day) #>> '{}'
      from (select distinct dob as day from public.warrior) as used
     where not exists (select from public.warrior_date as old where old.day = used.day);
    get diagnostics dates_added = row_count;

    delete from public.warrior_skill as copy
     using (select skill, min(ctid) as kept from public.warrior_skill group by skill having count(*) > 1) as twice
     where copy.skill = twice.skill and copy.ctid <> twice.kept;
    delete from public.warrior_date as copy
     using (select day, min(ctid) as kept from public.warrior_date group by day having count(*) > 1) as twice
     where copy.day = twice.day and copy.ctid <> twice.kept;
end
$$;
revoke execute on function public.warrior_recount from public;

-- An adopted table is full. The triggers are there since the migration before this one, which waited
-- for every writer that began without them, so nothing slips through between them and this.
select public.warrior_recount();
