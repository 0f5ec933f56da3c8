-- The dictionaries (tables/V3__dictionaries.sql), kept by the triggers for every writer: skills and letters that a
-- statement brings are listed when they are new.

-- Membership first, then the insert. The settings leave the planner one plan, an index probe for each distinct value:
-- the one that stays right while a dictionary grows from nothing to a million entries within one session.
create or replace function public.warrior_list(skills text[]) returns void
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
end
$$;

-- A regular expression for "a letter that is not listed", which a session keeps compiled while no letter is added. Null
-- when the list was given up. In plpgsql, which keeps the plan; a function in SQL would be planned at each call.
create or replace function public.warrior_unlisted_letter() returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select case
                   when bool_or(letter is null) then null
                   -- An escape before what is neither letter nor digit is never wrong within brackets.
                   else coalesce('[^' || regexp_replace(string_agg(letter, ''), '([^[:alnum:]])', E'\\\\\\1', 'g') || ']', '.')
               end
          from public.warrior_letter);
end
$$;

-- Lists the letters of these texts that are new, and gives their number.
create or replace function public.warrior_list_letters(texts text[]) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    added bigint;
begin
    insert into public.warrior_letter (letter)
    select distinct new.letter
      from unnest(texts) as written,
           regexp_split_to_table(lower(written), '') as new (letter)
     where new.letter <> ''
       and not exists (select from public.warrior_letter as old where old.letter = new.letter);
    get diagnostics added = row_count;
    -- Distinct: writers at the same time list the same letter once each. Twenty that begin together on an empty table
    -- would otherwise give up the list of one alphabet for ever.
    if added > 0 and (select count(distinct letter) > 300 and bool_and(letter is not null) from public.warrior_letter) then
        insert into public.warrior_letter (letter) values (null);
    end if;
    return added;
end
$$;
