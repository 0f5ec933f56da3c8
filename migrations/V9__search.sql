-- The search again (V5), faster: the same answer, by fewer and better chosen reads.
--
-- What the answer is has not changed: at most 50 warriors that hold the term, ignoring case, in the name,
-- else in the date as it is written, else in any one skill; within each of these tiers by name (code
-- points), then by id. Nor has it that no plan is left to the planner's estimates: there are two ways to
-- find the rows of a tier, and this function chooses.
--
--     walk    read rows in name order and stop at 50 hits     50 / share of the rows that match
--     index   find the matches by an index, and sort them     rows * share
--
-- V5 began every tier with a walk of 500 rows, to see whether the term is frequent: most of the time of a
-- search. And it saw the head of the alphabet, which tells little. Now the share is estimated from the rows of
-- two neighbouring pages, chosen at random: some 60 rows, 0.03 ms (eight for a term that has no trigram). It
-- decides when a few percent of the rows match; with less, the index is asked for at most as many hits as
-- make the two ways equally dear, sqrt(25 * rows), and a term that has more is frequent enough to be walked
-- for. The estimate decides how long an answer takes, never what it is.
--
-- Further, against V5: a letter that is not listed (V7) is looked for nowhere; a term of two letters or digits
-- is found by the trigrams that it makes with each letter that may follow it; the index is asked for two
-- trigrams of a long term, not for all, each of which is a list to read (0.1 ms at 1,000,000 rows); and names
-- are folded byte by byte where that is the same (warrior_folded).
--
-- What stays without an index, and is found by a walk without a bound, since the answer is never partial: a
-- term of one letter, and one or two punctuation marks. It reads all names only if it is listed (so some
-- name or skill holds it) and yet fewer than 50 names do.

-- lower(name), for less: most names are ASCII, and folding those byte by byte gives the same (`schema apply`
-- refuses a locale that folds I otherwise) for a third of the time. Compared under "C", since bytes of UTF-8
-- match as their characters do. Inlined.
create or replace function public.warrior_folded(name text) returns text
language sql immutable parallel safe
as $$
    select case when octet_length(name) = char_length(name) then lower(name collate "C") else lower(name) end
$$;

-- For a term of two letters or digits, three patterns that together find what holds it: followed by each
-- letter or digit that is listed, followed by any other character that is listed (both regular expressions
-- whose trigrams the index can look up), and at the end (a LIKE pattern). Null when it is no such term, or when
-- so many letters are listed that pg_trgm would not expand them.
create or replace function public.warrior_pair_patterns(needle text) returns text[]
language plpgsql stable
as $$
begin
    if needle !~ '^[[:alnum:]]{2}$' then
        return null;
    end if;
    return (
        select array[
                   needle || '[' || string_agg(distinct letter, '') filter (where letter ~ '[[:alnum:]]') || ']',
                   needle || '[' || string_agg(distinct '\' || letter, '') filter (where letter !~ '[[:alnum:]]') || ']',
                   '%' || needle]
          from public.warrior_letter
        having count(*) > 0 and count(distinct letter) <= 200 and bool_and(letter is not null));
end
$$;

-- Names by a walk: at most 50 among the first `most` in name order (null: among all). The limit within keeps
-- the filter out of it, so that no plan but the walk is possible.
create or replace function public.warrior_walk_names(pattern text, most bigint) returns uuid[]
language plpgsql stable
as $$
begin
    return array(
        select w.id
          from (select id, name
                  from public.warrior
                 order by name collate "C", id
                 limit most) as w
         where public.warrior_folded(w.name) collate "C" like pattern
         order by w.name collate "C", w.id
         limit 50);
end
$$;

-- Names. `pattern` is the LIKE pattern; `index_pattern` one for the index that finds at least the same rows,
-- or null when none helps; `pair` is what warrior_pair_patterns says.
create or replace function public.warrior_search_names(
    pattern text, index_pattern text, pair text[], samples double precision, sample_from tid, sample_to tid)
returns uuid[]
language plpgsql stable
as $$
declare
    exact constant boolean := index_pattern = pattern;
    sampled bigint;
    matched bigint;
    rows bigint;
    most bigint;
    hits uuid[];
    found_rows bigint;
begin
    select count(*), count(*) filter (where public.warrior_folded(name) collate "C" like pattern)
      into sampled, matched
      from public.warrior
     where ctid >= sample_from and ctid < sample_to;
    rows := samples * sampled;
    most := greatest(500, sqrt(25 * rows));

    if pair is not null and matched = 0 then
        with hit as materialized (
            select id, name
              from (select id, name
                      from public.warrior
                     where lower(name) ~ pair[1] and tableoid <> 0
                     limit most + 1) as before_letter
            union
            select id, name
              from (select id, name
                      from public.warrior
                     where lower(name) ~ pair[2] and tableoid <> 0
                     limit most + 1) as before_other
            union
            select id, name
              from (select id, name
                      from public.warrior
                     where lower(name) like pair[3] and tableoid <> 0
                     limit most + 1) as at_the_end)
        select (select count(*) from hit),
               array(select id from hit order by name collate "C", id limit 50)
          into found_rows, hits;
        if found_rows <= most then
            return hits;
        end if;
    end if;
    if index_pattern is null then
        return public.warrior_walk_names(pattern, null);
    end if;

    if matched > 1 then
        hits := public.warrior_walk_names(pattern, 200 * sampled / matched);
        if cardinality(hits) = 50 then
            return hits;
        end if;
    end if;
    loop
        -- tableoid: a column that idx_warrior_name_order does not hold, so that reading all of that index
        -- instead of the trigrams is not among the plans. (PostgreSQL 17 leaves out "ctid is not null",
        -- which it knows to be true.) offset 0 keeps the two patterns apart: the index is asked for the
        -- short one only.
        with hit as materialized (
            select w.id, w.name
              from (select id, name
                      from public.warrior
                     where lower(name) like index_pattern and tableoid <> 0
                    offset 0) as w
             where exact or public.warrior_folded(w.name) collate "C" like pattern
             limit most + 1)
        select (select count(*) from hit),
               array(select id from hit order by name collate "C", id limit 50)
          into found_rows, hits;
        exit when most is null or found_rows <= most;

        hits := public.warrior_walk_names(pattern, 200 * rows / most);
        exit when cardinality(hits) = 50;
        most := null;
    end loop;
    return hits;
end
$$;
drop function if exists public.warrior_search_names(text, text);

-- Dates by a walk, as above. `earlier` holds the hits of the names.
create or replace function public.warrior_walk_dates(pattern text, earlier uuid[], most bigint) returns uuid[]
language plpgsql stable
as $$
begin
    return array(
        select w.id
          from (select id, name, dob
                  from public.warrior
                 order by name collate "C", id
                 limit most) as w
         where to_json(w.dob) #>> '{}' like pattern
           and w.id <> all (earlier)
         order by w.name collate "C", w.id
         limit 50 - cardinality(earlier));
end
$$;

-- The listed dates that hold the term. Two digits are looked up as a pair of letters is.
create or replace function public.warrior_search_days(pattern text, indexable boolean)
returns date[]
language plpgsql stable
as $$
declare
    pair constant text := substring(pattern from '^%([0-9]{2})%$');
begin
    if indexable then
        return array(select day from public.warrior_date where written like pattern);
    end if;
    if pair is not null then
        return array(
            select day from public.warrior_date where written ~ (pair || '[0123456789]')
            union
            select day from public.warrior_date where written ~ (pair || '[-]')
            union
            -- As the day of a year before Christ: 0044-03-15 BC.
            select day from public.warrior_date where written ~ (pair || '[ ]')
            union
            select day from public.warrior_date where written like '%' || pair);
    end if;
    return array(
        select day
          from (select day, written from public.warrior_date offset 0) as listed
         where written like pattern);
end
$$;

-- Dates: the term in the dictionary of dates, then the rows of those dates.
create or replace function public.warrior_search_dates(
    pattern text, indexable boolean, earlier uuid[], samples double precision, sample_from tid, sample_to tid)
returns uuid[]
language plpgsql stable
as $$
declare
    wanted constant bigint := 50 - cardinality(earlier);
    sampled bigint;
    matched bigint;
    rows bigint;
    most bigint;
    days date[];
    expected bigint;
    hits uuid[];
    found_rows bigint;
begin
    select count(*), count(*) filter (where to_json(dob) #>> '{}' like pattern)
      into sampled, matched
      from public.warrior
     where ctid >= sample_from and ctid < sample_to;
    rows := samples * sampled;
    most := greatest(500, sqrt(25 * rows));
    if 20 * matched > sampled then
        hits := public.warrior_walk_dates(pattern, earlier, 200 * sampled / matched);
        if cardinality(hits) = wanted then
            return hits;
        end if;
    end if;

    days := public.warrior_search_days(pattern, indexable);
    if cardinality(days) = 0 then
        return '{}';
    end if;
    -- Dates are more even than names; the share of the listed ones is a fair guess. (-1: never analyzed.)
    expected := (select rows * cardinality(days) / reltuples
                   from pg_class
                  where oid = 'public.warrior_date'::regclass and reltuples > 0);
    if expected > most then
        hits := public.warrior_walk_dates(pattern, earlier, 200 * rows / expected);
        if cardinality(hits) = wanted then
            return hits;
        end if;
    end if;
    loop
        with hit as materialized (
            select id, name
              from public.warrior
             where dob = any (days)
               and id <> all (earlier)
             limit most + 1)
        select (select count(*) from hit),
               array(select id from hit order by name collate "C", id limit wanted)
          into found_rows, hits;
        exit when most is null or found_rows <= most;

        hits := public.warrior_walk_dates(pattern, earlier, 200 * rows / most);
        exit when cardinality(hits) = wanted;
        most := null;
    end loop;
    return hits;
end
$$;
drop function if exists public.warrior_search_dates(text, boolean, uuid[]);

-- The listed skills that hold the term, at most so many (null is no limit; of a pair, so many for each pattern).
create or replace function public.warrior_search_listed(
    pattern text, indexable boolean, pair text[], most bigint)
returns text[]
language plpgsql stable
as $$
begin
    if indexable then
        return array(
            select skill from public.warrior_skill where lower(skill) like pattern limit most);
    end if;
    if pair is not null then
        return array(
            select skill
              from (select skill from public.warrior_skill where lower(skill) ~ pair[1] limit most) as before_letter
            union
            select skill
              from (select skill from public.warrior_skill where lower(skill) ~ pair[2] limit most) as before_other
            union
            select skill
              from (select skill from public.warrior_skill where lower(skill) like pair[3] limit most) as at_the_end);
    end if;
    return array(
        select skill
          from (select skill from public.warrior_skill offset 0) as listed
         where lower(skill) like pattern
         limit most);
end
$$;
drop function if exists public.warrior_search_listed(text, boolean, bigint);

-- Skills by a walk, as above. `earlier` holds the hits of the tiers before.
create or replace function public.warrior_walk_skills(skills text[], earlier uuid[], most bigint) returns uuid[]
language plpgsql stable
as $$
begin
    return array(
        select w.id
          from (select id, name, fight_skills
                  from public.warrior
                 order by name collate "C", id
                 limit most) as w
         where w.fight_skills && skills
           and w.id <> all (earlier)
         order by w.name collate "C", w.id
         limit 50 - cardinality(earlier));
end
$$;

-- Skills: the term in the dictionary of skills, then the rows of those skills.
create or replace function public.warrior_search_skills(
    pattern text, indexable boolean, pair text[], earlier uuid[], samples double precision, sample_from tid, sample_to tid)
returns uuid[]
language plpgsql stable
as $$
declare
    wanted constant bigint := 50 - cardinality(earlier);
    skills constant text[] := public.warrior_search_listed(pattern, indexable, pair, 1001);
    sampled bigint;
    matched bigint;
    rows bigint;
    most bigint;
    keys text[];
    hits uuid[];
    found_rows bigint;
begin
    if cardinality(skills) = 0 then
        return '{}';
    end if;
    if cardinality(skills) > 1000 then
        return public.warrior_search_many_skills(pattern, indexable, pair, earlier);
    end if;

    select count(*), count(*) filter (where fight_skills && skills)
      into sampled, matched
      from public.warrior
     where ctid >= sample_from and ctid < sample_to;
    rows := samples * sampled;
    most := greatest(500, sqrt(25 * rows));
    if 20 * matched > sampled then
        hits := public.warrior_walk_skills(skills, earlier, 200 * sampled / matched);
        if cardinality(hits) = wanted then
            return hits;
        end if;
    end if;

    keys := public.warrior_skill_keys(skills);
    loop
        with hit as materialized (
            select id, name
              from public.warrior
             where public.warrior_skill_keys(fight_skills) && keys
               and fight_skills && skills
               and id <> all (earlier)
             limit most + 1)
        select (select count(*) from hit),
               array(select id from hit order by name collate "C", id limit wanted)
          into found_rows, hits;
        exit when most is null or found_rows <= most;

        hits := public.warrior_walk_skills(skills, earlier, 200 * rows / most);
        exit when cardinality(hits) = wanted;
        most := null;
    end loop;
    return hits;
end
$$;
drop function if exists public.warrior_search_skills(text, boolean, uuid[]);

-- Over 1,000 skills are too many for one index condition, whose cost grows with skills times rows. Such a
-- term is frequent, so it is looked for in name order, in the rows themselves; and if it is not there,
-- by one index scan for every 200 skills.
create or replace function public.warrior_search_many_skills(
    pattern text, indexable boolean, pair text[], earlier uuid[])
returns uuid[]
language plpgsql stable
as $$
declare
    walk constant bigint := 20000;
    wanted constant bigint := 50 - cardinality(earlier);
    skills text[];
    hits uuid[];
begin
    hits := array(
        select w.id
          from (select id, name, fight_skills
                  from public.warrior
                 order by name collate "C", id
                 limit walk) as w
         where w.id <> all (earlier)
           and exists (select from unnest(w.fight_skills) as skill where lower(skill) like pattern)
         order by w.name collate "C", w.id
         limit wanted);
    if cardinality(hits) = wanted then
        return hits;
    end if;

    skills := public.warrior_search_listed(pattern, indexable, pair, null);
    return array(
        select hit.id
          from (select distinct w.id, w.name
                  from (select array_agg(skill) as part
                          from unnest(skills) with ordinality as listed (skill, place)
                         group by place / 200) as listed
                 cross join lateral (
                       select id, name
                         from public.warrior
                        where public.warrior_skill_keys(fight_skills) && public.warrior_skill_keys(listed.part)
                          and fight_skills && listed.part) as w
                 where w.id <> all (earlier)) as hit
         order by hit.name collate "C", hit.id
         limit wanted);
end
$$;

drop function if exists public.warrior_search_many_skills(text, boolean, uuid[]);

-- The others are planned and run with these settings, too, since only this function calls them.
create or replace function public.warrior_search(term text)
returns table (id uuid, name varchar, dob date, fight_skills text[])
language plpgsql stable strict
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set max_parallel_workers_per_gather = 0
set jit = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    wildcard constant text := '([\\%_])';
    -- What pg_trgm can make a trigram of: three letters or digits, or two beside the end of a word. (One
    -- beside it also makes one, which is too frequent to help.)
    trigram constant text := '[[:alnum:]]{3}|[[:alnum:]]{2}[^[:alnum:]]|[^[:alnum:]][[:alnum:]]{2}';
    needle constant text := lower(term);
    pattern constant text := '%' || regexp_replace(needle, wildcard, '\\\1', 'g') || '%';
    indexable constant boolean := needle ~ trigram;
    -- Of a long term, one trigram at each end.
    ends constant text := left(needle, 3) || right(needle, 3);
    head constant text := left(needle, 6);
    tail constant text := right(needle, 6);
    index_pattern constant text := case
        when length(needle) > 5 and ends ~ '^[[:alnum:]]+$'
            then '%' || left(needle, 3) || '%' || right(needle, 3) || '%'
        when length(needle) > 16 and (head ~ trigram or tail ~ trigram)
            then '%' || regexp_replace(head, wildcard, '\\\1', 'g')
              || '%' || regexp_replace(tail, wildcard, '\\\1', 'g') || '%'
        when indexable then pattern
    end;
    pair text[];
    -- A short term has no index to turn to, or a dear one; it is worth a surer guess.
    sample_pages constant bigint := case when indexable then 2 else 8 end;
    pages constant bigint := pg_relation_size('public.warrior') / current_setting('block_size')::bigint;
    page constant bigint := floor(random() * greatest(pages - sample_pages + 1, 1));
    sample_from constant tid := format('(%s,0)', page);
    sample_to constant tid := format('(%s,0)', page + sample_pages);
    samples constant double precision := greatest(pages::double precision / sample_pages, 1);
    listed boolean;
    hits uuid[] := '{}';
begin
    -- The table first, for its lock: TRUNCATE takes the table and then, in its trigger, the lists; a search that
    -- read the letters first would be in a deadlock with it.
    perform from public.warrior limit 0;
    pair := public.warrior_pair_patterns(needle);
    -- Null when the list of letters was given up.
    listed := (needle ~ public.warrior_unlisted_letter()) is not true;
    if listed then
        hits := public.warrior_search_names(pattern, index_pattern, pair, samples, sample_from, sample_to);
    end if;
    -- No longer term can stand in YYYY-MM-DD.
    if cardinality(hits) < 50 and term ~ '^[0-9-]{1,10}$' then
        hits := hits || public.warrior_search_dates(pattern, indexable, hits, samples, sample_from, sample_to);
    end if;
    if listed and cardinality(hits) < 50 then
        hits := hits || public.warrior_search_skills(pattern, indexable, pair, hits, samples, sample_from, sample_to);
    end if;
    -- offset 0: one probe for each hit, not a join that was planned when the table was small.
    return query
        select w.id, w.name, w.dob, w.fight_skills
          from unnest(hits) with ordinality as hit (id, place)
         cross join lateral (select * from public.warrior as stored where stored.id = hit.id offset 0) as w
         order by hit.place;
end
$$;
