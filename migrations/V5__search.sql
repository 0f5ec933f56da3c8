-- The search: at most 50 warriors that hold the term, ignoring case, in the name, else in the date as it
-- is written, else in any one skill; within each of these tiers by name (code points), then by id.
--
-- A function, so that three tiers are one statement, one round trip and (being stable) one snapshot, and
-- so that its plans stay cached in the server's session, which an unnamed statement's do not. Tiers are
-- read in turn and the later ones only when there is room left; a row stands in its best tier, since
-- what earlier tiers gave is left out (a tier that gave fewer than its share gave all it has).
--
-- No plan is left to estimates. `lower(name) like $1 order by name limit 50` has two plans: reading in name
-- order is cheap when the term is frequent and reads every row when it is rare; the index on trigrams
-- (or skills, or dates) is cheap when the term is rare and sorts every match when it is frequent. The
-- planner cannot know which, and was wrong for a few terms by a factor of 200. So each tier does both,
-- bounded, in statements that have one sensible plan each:
--
--     walk   the first 500 rows in name order, and stop at 50 hits      finds terms in over 10 % of rows
--     index  up to 5,000 hits, sorted                                   finds terms in up to 5,000 rows
--     walk   the first 20,000 rows in name order                        finds what lies between
--     index  all hits, sorted                 what is frequent, but only late in the alphabet
--
-- "limit" inside a subquery keeps a filter out of it, so a walk cannot turn into an index scan; sequential
-- scans are off for the call, so nothing else can; plans are generic, so a session plans once, and a plan
-- that was made while the table was empty is the right one when it is full.
--
-- Times (ms, median and 99th percentile, one client, laboratory data, all in memory):
--
--                                          125,000 rows      1,000,000 rows
--     no match (12 letters; ž)              0.3   0.3          0.6   2.7
--     8 letters of one name                 0.3   0.4          0.5   1.1
--     50 letters of one name                0.3   0.5          0.6   1.6
--     3 letters (2,500 of 1,000,000 rows)   0.8   8.6          6.1  13.0
--     1 letter                              0.1   0.1          0.2   0.2
--     2 letters                             0.4   0.5          0.5   0.9
--     a date: 1985-03-12                    0.7   0.8          0.7   1.1
--             1985-03                       0.8   1.0          1.8   2.7
--             03-12                         1.2   1.7          3.6   9.4
--             1985                          1.7   2.0          7.5  11.2
--     a skill that 40 % have                0.4   4.1          0.5   5.1
--     2 characters that no name holds        47    53          415   450
--
-- What has no trigram (one or two letters, punctuation) has no index: it is found by the walk, without a
-- bound, since the answer is never partial. The worst case is a term of one or two characters that no
-- name holds: it reads the whole index idx_warrior_name_order, 0.4 s for 1,000,000 rows. Beyond that the
-- role's statement_timeout (2 s) ends it with 57014, and the API says 503: from about 5,000,000 rows.
-- With 1,000,000 different skills (of 205,000 warriors) a skill is still found in 0.6 to 4 ms, a term that
-- all of them hold in 60 ms.
--
-- The lower() of the database folds case, on both sides and nowhere else.

-- Names. `pattern` is the LIKE pattern; `window_pattern` one for the index that finds at least the same
-- rows, or null when the index cannot help.
create or replace function public.warrior_search_names(pattern text, window_pattern text)
returns uuid[]
language plpgsql stable
as $$
declare
    -- limit null is no limit.
    walks constant bigint[] := case when window_pattern is null then array[null::bigint] else array[500, 20000] end;
    caps constant bigint[] := array[5000, null];
    hits uuid[];
    found_rows bigint;
begin
    for stage in 1 .. cardinality(walks) loop
        hits := array(
            select w.id
              from (select id, name
                      from public.warrior
                     order by name collate "C", id
                     limit walks[stage]) as w
             where lower(w.name) like pattern
             order by w.name collate "C", w.id
             limit 50);
        exit when cardinality(hits) = 50 or window_pattern is null;

        -- tableoid: a column that idx_warrior_name_order does not hold, so that reading all of that index
        -- instead of the trigrams is not among the plans. (PostgreSQL 17 leaves out "ctid is not null",
        -- which it knows to be true.) offset 0 keeps the two patterns apart: the index is asked for the
        -- short one only.
        with hit as materialized (
            select w.id, w.name
              from (select id, name
                      from public.warrior
                     where lower(name) like window_pattern and tableoid <> 0
                    offset 0) as w
             where lower(w.name) like pattern
             limit caps[stage] + 1)
        select (select count(*) from hit),
               array(select id from hit order by name collate "C", id limit 50)
          into found_rows, hits;
        exit when found_rows <= caps[stage];
    end loop;
    return hits;
end
$$;

-- Dates: the term in the dictionary of dates, then those dates. `earlier` holds the names' hits.
create or replace function public.warrior_search_dates(pattern text, indexable boolean, earlier uuid[])
returns uuid[]
language plpgsql stable
as $$
declare
    walks constant bigint[] := array[500, 20000];
    caps constant bigint[] := array[5000, null];
    wanted constant bigint := 50 - cardinality(earlier);
    days date[];
    hits uuid[];
    found_rows bigint;
begin
    if indexable then
        days := array(select day from public.warrior_date where written like pattern);
    else
        days := array(
            select day
              from (select day, written from public.warrior_date offset 0) as listed
             where written like pattern);
    end if;
    if cardinality(days) = 0 then
        return '{}';
    end if;

    for stage in 1 .. cardinality(walks) loop
        hits := array(
            select w.id
              from (select id, name, dob
                      from public.warrior
                     order by name collate "C", id
                     limit walks[stage]) as w
             where to_json(w.dob) #>> '{}' like pattern
               and w.id <> all (earlier)
             order by w.name collate "C", w.id
             limit wanted);
        exit when cardinality(hits) = wanted;

        with hit as materialized (
            select id, name
              from public.warrior
             where dob = any (days)
               and id <> all (earlier)
             limit caps[stage] + 1)
        select (select count(*) from hit),
               array(select id from hit order by name collate "C", id limit wanted)
          into found_rows, hits;
        exit when found_rows <= caps[stage];
    end loop;
    return hits;
end
$$;

-- The listed skills that hold the term, at most so many (null is no limit).
create or replace function public.warrior_search_listed(pattern text, indexable boolean, most bigint)
returns text[]
language plpgsql stable
as $$
begin
    if indexable then
        return array(
            select skill from public.warrior_skill where lower(skill) like pattern limit most);
    end if;
    return array(
        select skill
          from (select skill from public.warrior_skill offset 0) as listed
         where lower(skill) like pattern
         limit most);
end
$$;

-- Skills: the term in the dictionary of skills, then those skills. `earlier` holds the hits of the tiers
-- before.
create or replace function public.warrior_search_skills(pattern text, indexable boolean, earlier uuid[])
returns uuid[]
language plpgsql stable
as $$
declare
    walks constant bigint[] := array[500, 20000];
    caps constant bigint[] := array[5000, null];
    wanted constant bigint := 50 - cardinality(earlier);
    skills text[] := public.warrior_search_listed(pattern, indexable, 1001);
    keys text[];
    hits uuid[];
    found_rows bigint;
begin
    if cardinality(skills) = 0 then
        return '{}';
    end if;
    if cardinality(skills) > 1000 then
        return public.warrior_search_many_skills(pattern, indexable, earlier);
    end if;

    keys := public.warrior_skill_keys(skills);
    for stage in 1 .. cardinality(walks) loop
        hits := array(
            select w.id
              from (select id, name, fight_skills
                      from public.warrior
                     order by name collate "C", id
                     limit walks[stage]) as w
             where w.fight_skills && skills
               and w.id <> all (earlier)
             order by w.name collate "C", w.id
             limit wanted);
        exit when cardinality(hits) = wanted;

        with hit as materialized (
            select id, name
              from public.warrior
             where public.warrior_skill_keys(fight_skills) && keys
               and fight_skills && skills
               and id <> all (earlier)
             limit caps[stage] + 1)
        select (select count(*) from hit),
               array(select id from hit order by name collate "C", id limit wanted)
          into found_rows, hits;
        exit when found_rows <= caps[stage];
    end loop;
    return hits;
end
$$;

-- Over 1,000 skills are too many for one index condition, whose cost grows with skills times rows. Such a
-- term is frequent, so it is looked for in name order, in the rows themselves; and if it is not there,
-- by one index scan for every 200 skills.
create or replace function public.warrior_search_many_skills(
    pattern text, indexable boolean, earlier uuid[])
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

    skills := public.warrior_search_listed(pattern, indexable, null);
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
    -- A term of 50 characters has 48 trigrams, and the index reads a list for each: 4.4 ms at 1,000,000
    -- rows. Its two ends are as rare as the whole, and take 0.9 ms.
    head constant text := left(needle, 6);
    tail constant text := right(needle, 6);
    window_pattern constant text := case
        when length(needle) > 16 and (head ~ trigram or tail ~ trigram)
            then '%' || regexp_replace(head, wildcard, '\\\1', 'g')
              || '%' || regexp_replace(tail, wildcard, '\\\1', 'g') || '%'
        when indexable then pattern
    end;
    hits uuid[];
begin
    hits := public.warrior_search_names(pattern, window_pattern);
    -- No longer term can stand in YYYY-MM-DD.
    if cardinality(hits) < 50 and term ~ '^[0-9-]{1,10}$' then
        hits := hits || public.warrior_search_dates(pattern, indexable, hits);
    end if;
    if cardinality(hits) < 50 then
        hits := hits || public.warrior_search_skills(pattern, indexable, hits);
    end if;
    return query
        select w.id, w.name, w.dob, w.fight_skills
          from unnest(hits) with ordinality as hit (id, place)
          join public.warrior as w on w.id = hit.id
         order by hit.place;
end
$$;
