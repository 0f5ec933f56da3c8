-- The letters (characters of any kind) that names and skills hold, case folded, each once: some forty rows
-- for one alphabet.
--
-- What they are for (V9): a term with a letter that is not among them is in no name and no skill, and nothing
-- is read to know it; and a term of two letters, which has no trigram, has the trigrams that it makes with
-- each letter that may follow, so that the index finds it. Without them such a term, when few names hold it,
-- reads every name: 0.4 s at 1,000,000 rows.
--
-- Kept like the dictionaries of V3, for every writer and without a unique constraint, for the same reason.
-- To ask whether a row brings a new letter is to match its name against one regular expression, "anything
-- else", which a session keeps compiled while no letter is added; the statement's distinct skills likewise.
--
-- A list of over 300 letters (Chinese, say) would cost each insert more than it saves. It is then given up:
-- one row that is null says so, and the search does without.

create table if not exists public.warrior_letter (letter text);

-- A regular expression for a letter that is not listed; null when the list was given up. In plpgsql, which keeps
-- the plan; an SQL function would be planned at each call.
create or replace function public.warrior_unlisted_letter() returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select case
                   when bool_or(letter is null) then null
                   -- What is neither letter nor digit is escaped, which is never wrong within brackets.
                   else coalesce('[^' || regexp_replace(string_agg(letter, ''), '([^[:alnum:]])', '\\\1', 'g') || ']', '.')
               end
          from public.warrior_letter);
end
$$;

-- Lists the letters of these texts that are new. Answers how many.
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
    -- Distinct: writers at the same time list the same letter once each, and twenty that begin together on an
    -- empty table would otherwise give up the list of one alphabet for ever.
    if added > 0 and (select count(distinct letter) > 300 and bool_and(letter is not null) from public.warrior_letter) then
        insert into public.warrior_letter (letter) values (null);
    end if;
    return added;
end
$$;
revoke execute on function public.warrior_list_letters from public;

create or replace function public.warrior_inserted() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    added constant bigint := (select count(*) from added_rows);
    skills text[];
    unlisted text;
begin
    if added > 0 then
        skills := array(select distinct skill from added_rows, unnest(fight_skills) as skill);
        unlisted := public.warrior_unlisted_letter();
        perform public.warrior_count_add(added);
        perform public.warrior_list(skills, array(select distinct dob from added_rows));
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
begin
    perform public.warrior_list(skills, array(select distinct dob from changed_rows));
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

create or replace function public.warrior_truncated() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    truncate public.warrior_count, public.warrior_skill, public.warrior_date, public.warrior_letter;
    return null;
end
$$;

-- Once more, for the lock: it waits for every writer that began with the old functions, so that what V8
-- fills in from the table is all that they wrote.
create or replace trigger warrior_inserted
    after insert on public.warrior
    referencing new table as added_rows
    for each statement execute function public.warrior_inserted();
