-- Repair, while writers go on: the count becomes what the table has, and the dictionaries lack nothing that it has.
-- `schema apply` calls it whenever it has created triggers or run a table file, and `schema recount` at any time.
--
-- No writer is locked out, TRUNCATE aside. Every transaction changes the table and the count together, so within one
-- snapshot their difference is the drift alone, however many write; adding the drift to the count repairs it. The
-- dictionaries only gain entries and lose copies: removing an entry while a writer relies on it would hide that writer's
-- rows from the search.

create or replace function public.warrior_recount(
    out count_before bigint, out count_after bigint,
    out skills_added bigint, out letters_added bigint)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    drift bigint;
    unlisted text;
    texts text[];
    added bigint;
begin
    -- Mutual exclusion with the schema commands (try_lock.sql): two repairs at once would repair twice.
    perform pg_advisory_xact_lock(33602666402246514);
    -- Lock order: TRUNCATE takes warrior before the lists; the other order could deadlock with it.
    lock table public.warrior in access share mode;

    -- Merges the slots that repeatable read transactions have added.
    with free as (
        select slot from public.warrior_count for update skip locked
    ), merged as (
        delete from public.warrior_count as c using free where c.slot = free.slot returning c.n, c.list_bytes
    )
    insert into public.warrior_count (n, list_bytes) select sum(n), sum(list_bytes) from merged having count(*) > 0;

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

    -- Rounds: each lists the letters of up to 1,000 texts that have a new one; the last finds none, or none that is new.
    letters_added := 0;
    loop
        unlisted := public.warrior_unlisted_letter();
        texts := array(select name from public.warrior where lower(name) ~ unlisted limit 1000)
              || array(select skill from public.warrior_skill where lower(skill) ~ unlisted limit 1000);
        exit when cardinality(texts) = 0;
        added := public.warrior_list_letters(texts);
        letters_added := letters_added + added;
        exit when added = 0;
    end loop;

    delete from public.warrior_letter as copy
     using (select letter, min(ctid) as kept from public.warrior_letter group by letter having count(*) > 1) as twice
     where copy.letter is not distinct from twice.letter and copy.ctid <> twice.kept;

    delete from public.warrior_skill as copy
     using (select skill, min(ctid) as kept from public.warrior_skill group by skill having count(*) > 1) as twice
     where copy.skill = twice.skill and copy.ctid <> twice.kept;
end
$$;
