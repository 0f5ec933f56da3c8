-- Dictionaries: each distinct skill and each distinct date once, so that a search for a part of one
-- is answered from a short list and then by an exact index on warrior.
--
-- Neither has a unique constraint, on purpose. With one, a writer that brings a new skill waits for
-- every other open transaction that brings the same one: a single idle transaction would stop all
-- writers (`on conflict do nothing` waits too). Without it, two writers that cannot see each other's
-- new skill both list it. That is harmless: an index that is asked for a value twice gives each row once.
-- It is also bounded: a value is listed again only by a transaction that began before the first listing
-- was committed, so there are never more copies than writers at once. `schema recount` removes them.
--
-- Skills that do not repeat: 50-row inserts of 13 skills a row, all new, by 4 clients reach 7,000 rows/s
-- with 25 skills listed and 5,100 with 1,000,000; inserts of skills that repeat 23,100 and 22,300.
--
-- An entry stays when its last warrior is deleted: it costs a search one probe that finds nothing.
-- Nothing waits on these tables, so the order in which a statement lists its skills cannot deadlock.

create table if not exists public.warrior_skill (skill text not null);
create table if not exists public.warrior_date (
    day date not null,
    -- The text that a search looks in: as the API serves it, ISO whatever DateStyle is.
    written text not null
);

-- Is it listed? Asked for each distinct skill of each insert. A hash index, since a btree refuses keys
-- over 2,704 bytes and would then refuse a COPY of one long skill; it also stays small: 4 bytes a key.
create index if not exists warrior_skill_exact on public.warrior_skill using hash (skill);
create index if not exists warrior_date_exact on public.warrior_date (day);
-- Which entries hold the term? Worth it for skills, which clients choose; and for dates, where the
-- alternative reads up to 29,000 texts (80 years) in 3 ms for every search made of digits.
create index if not exists warrior_skill_trigram
    on public.warrior_skill using gin (lower(skill) gin_trgm_ops);
create index if not exists warrior_date_trigram
    on public.warrior_date using gin (written gin_trgm_ops);

-- What the index on fight_skills holds: the skills themselves, but a hash of one that is too long for an
-- index entry (2,712 bytes), so that no row is refused for its skills. The API's longest is 1,000 bytes.
-- A search by these keys compares the skills again. Immutable: text is its own text, whatever the settings.
-- In plpgsql because one expression there costs a third of a call of an SQL function that cannot be inlined.
create or replace function public.warrior_skill_keys(skills text[]) returns text[]
language plpgsql immutable strict parallel safe
as $$
begin
    if octet_length(skills::text) <= 2000 then
        return skills;
    end if;
    return array(select case when octet_length(skill) <= 2000 then skill else md5(skill) end
                   from unnest(skills) as skill);
end
$$;

-- Lists what is new. The planner is told the one plan that stays right when a dictionary grows from
-- nothing to a million entries within one session: one index probe for each distinct value.
create or replace function public.warrior_list(skills text[], days date[]) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
set plan_cache_mode = force_generic_plan
as $$
begin
    insert into public.warrior_skill (skill)
    select new.skill
      from unnest(skills) as new (skill)
     where new.skill is not null
       and not exists (select from public.warrior_skill as old where old.skill = new.skill);

    -- to_json writes a date as ISO 8601, infinity and BC included, without asking DateStyle.
    insert into public.warrior_date (day, written)
    select new.day, to_json(new.day) #>> '{}'
      from unnest(days) as new (day)
     where not exists (select from public.warrior_date as old where old.day = new.day);
end
$$;
revoke execute on function public.warrior_list from public;

-- Insert does both, count and lists, in one trigger: one function call and one pass less.
create or replace function public.warrior_inserted() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    added constant bigint := (select count(*) from added_rows);
begin
    if added > 0 then
        perform public.warrior_count_add(added);
        perform public.warrior_list(
            array(select distinct skill from added_rows, unnest(fight_skills) as skill),
            array(select distinct dob from added_rows));
    end if;
    return null;
end
$$;

revoke execute on function public.warrior_inserted from public;

create or replace trigger warrior_inserted
    after insert on public.warrior
    referencing new table as added_rows
    for each statement execute function public.warrior_inserted();

create or replace function public.warrior_updated() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform public.warrior_list(
        array(select distinct skill from changed_rows, unnest(fight_skills) as skill),
        array(select distinct dob from changed_rows));
    return null;
end
$$;

revoke execute on function public.warrior_updated from public;

create or replace trigger warrior_updated
    after update on public.warrior
    referencing new table as changed_rows
    for each statement execute function public.warrior_updated();

-- TRUNCATE has no transition tables and waits until every writer of warrior has ended, so there is
-- nobody whose number could be lost. TRUNCATE, not DELETE: it also removes what a repeatable read
-- transaction cannot see.
create or replace function public.warrior_truncated() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    truncate public.warrior_count, public.warrior_skill, public.warrior_date;
    return null;
end
$$;

revoke execute on function public.warrior_truncated from public;

create or replace trigger warrior_truncated
    after truncate on public.warrior
    for each statement execute function public.warrior_truncated();
