-- Statement triggers on warrior: they keep the count (count.sql) and the dictionaries (lists.sql) for every writer.
--
-- security definer: the runtime role may insert warriors, but write nothing else. grants.sql revokes execute: a role
-- that has it could put a trigger function on a table of its own and so change the count. Firing it on warrior needs no
-- such right.

-- Count and lists in one function, since each call costs an insert time. A new letter is looked for by one regular
-- expression over names and distinct skills, and listed only where it matches.
--
-- listed: the bytes that these rows take in the pending lists. An entry of a list takes 24 bytes where it is a trigram,
-- of which a name has about one for each letter, and where it is a skill 20 and the skill. The lengths of the values say
-- it to a tenth, without a look at each skill. An update may have left the lists as they are; it counts all the same.
--
-- Durability: a pooler in transaction mode lends one session to all clients of a role, and `set synchronous_commit =
-- off` of one client stays for the next. A crash may then lose an acknowledged warrior, without any statement that
-- fails. The trigger therefore resets the setting for its transaction. Null is `reset`: what role, database or server
-- choose stays in force, `off` included, and so does what the session was opened with. Measured:
-- ../../bench/results/2026-11-schema/README.md#triggers.
create or replace function public.warrior_inserted() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    added bigint;
    listed bigint;
    skills text[];
    unlisted text;
begin
    select count(*), sum(24 * octet_length(name) + 16 * cardinality(fight_skills) + pg_column_size(fight_skills))
      into added, listed
      from added_rows;
    if added > 0 then
        if current_setting('synchronous_commit') <> 'on' then
            perform set_config('synchronous_commit', null, true);
        end if;
        skills := array(select distinct skill from added_rows, unnest(fight_skills) as skill);
        unlisted := public.warrior_unlisted_letter();
        perform public.warrior_count_add(added, coalesce(listed, 0));
        perform public.warrior_list(skills);
        if exists (select from added_rows where lower(name) ~ unlisted) then
            perform public.warrior_list_letters(array(
                select name from added_rows where lower(name) ~ unlisted));
        end if;
        if exists (select from unnest(skills) as skill where lower(skill) ~ unlisted) then
            perform public.warrior_list_letters(skills);
        end if;
    end if;
    return null;
end
$$;

create or replace function public.warrior_updated() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    skills constant text[] := array(
        select distinct skill from changed_rows, unnest(fight_skills) as skill);
    unlisted constant text := public.warrior_unlisted_letter();
    listed constant bigint := (
        select sum(24 * octet_length(name) + 16 * cardinality(fight_skills) + pg_column_size(fight_skills))
          from changed_rows);
begin
    if listed > 0 then
        perform public.warrior_count_add(0, listed);
    end if;
    perform public.warrior_list(skills);
    if exists (select from changed_rows where lower(name) ~ unlisted) then
        perform public.warrior_list_letters(array(
            select name from changed_rows where lower(name) ~ unlisted));
    end if;
    if exists (select from unnest(skills) as skill where lower(skill) ~ unlisted) then
        perform public.warrior_list_letters(skills);
    end if;
    return null;
end
$$;

create or replace function public.warrior_deleted() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    removed constant bigint := (select count(*) from removed_rows);
begin
    if removed > 0 then
        perform public.warrior_count_add(-removed, 0);
    end if;
    return null;
end
$$;

-- TRUNCATE has no transition tables, and waits until every writer of warrior has ended, so there is no number that
-- could be lost. TRUNCATE of the lists, not DELETE: it also removes what a repeatable read transaction cannot see.
create or replace function public.warrior_truncated() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    truncate public.warrior_count, public.warrior_flushed, public.warrior_skill, public.warrior_letter;
    return null;
end
$$;

-- The triggers themselves, each defined here alone. `schema apply` creates them, and again where this function
-- has changed; `schema recount` repairs them.
--
-- A trigger that is no longer defined here is dropped if its function was given up with it and has its name, and as long as
-- the version record lists that function as superseded. One that is given up while its function stays is dropped by a line
-- of its own here.
--
-- enable always: session_replication_role = replica (logical replication's copy of a table, migration services) would
-- otherwise bypass them, and searches and counts would be wrong in silence. Workers that apply replicated changes fire
-- no statement trigger, and the table's owner may disable all triggers: warrior_drift (drift.sql) finds that out.
create or replace function public.warrior_mend_triggers() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    given_up name;
begin
    for given_up in
        select t.tgname
          from pg_trigger as t, public.warrior_schema as record
         where t.tgrelid = 'public.warrior'::regclass and not t.tgisinternal
           and format('public.%I()', t.tgname) = any (record.superseded)
           and t.tgfoid = to_regprocedure(format('public.%I()', t.tgname))
    loop
        execute format('drop trigger %I on public.warrior', given_up);
    end loop;
    create or replace trigger warrior_inserted
        after insert on public.warrior
        referencing new table as added_rows
        for each statement execute function public.warrior_inserted();
    create or replace trigger warrior_updated
        after update on public.warrior
        referencing new table as changed_rows
        for each statement execute function public.warrior_updated();
    create or replace trigger warrior_deleted
        after delete on public.warrior
        referencing old table as removed_rows
        for each statement execute function public.warrior_deleted();
    create or replace trigger warrior_truncated
        after truncate on public.warrior
        for each statement execute function public.warrior_truncated();
    alter table public.warrior
        enable always trigger warrior_inserted,
        enable always trigger warrior_updated,
        enable always trigger warrior_deleted,
        enable always trigger warrior_truncated;
end
$$;
