-- A search where skills hardly repeat, and for one letter: the same answers (V9, V11) for less.
--
-- A term that 40,000 of 1,000,000 listed skills hold was looked up in the dictionary first, only to learn that there
-- are over 1,000; and for a rare skill the index read the lists of all its trigrams, however long. Now a page of a
-- large dictionary is looked into first. It tells which terms may be in many skills, for which three more pages are
-- asked, and which parts of the term are rare. A dictionary of up to 64 pages, some 10,000 skills, is read as it was.
--
-- A term that no index helps with, one letter mostly, is looked for in name order at once. A sample of the table said
-- whether it is frequent, which changed nothing.
--
-- CPU time of a call in ms at 1,000,000 rows with 1,170,000 different skills ("Karate 123456" and 24 others like it,
-- "Course 417 of Shotokan", "Каратэ 417"), 75 to 300 terms of a class (50 for a first word, 25 different), eight a
-- statement; the functions of V11 and these in turn, median of 5 rounds (least - most):
--
--                                             V11                          this
--     no match, 12 letters               0.51 ( 0.41 -  0.56)         0.65 ( 0.53 -  0.84)
--     8 letters of one name              0.47 ( 0.47 -  0.62)         0.64 ( 0.56 -  0.79)
--     50 letters, no match               0.43 ( 0.42 -  0.57)         0.54 ( 0.51 -  0.72)
--     part of many skills                2.94 ( 2.59 -  3.76)         1.34 ( 1.22 -  1.95)
--     one letter                         0.57 ( 0.43 -  0.74)         0.28 ( 0.26 -  0.36)
--     first word of 30,000 skills       10.94 (10.77 - 13.44)         2.19 ( 1.99 -  3.38)
--     one skill                          4.11 ( 3.97 -  5.06)         1.49 ( 1.22 -  1.74)
--     the same without its last digit    4.30 ( 4.14 -  5.35)         1.69 ( 1.61 -  2.08)
--     its first word and two digits     26.35 (23.86 - 31.03)        24.79 (23.91 - 28.29)
--     Course 417 of Shotokan            15.34 (14.49 - 21.44)         4.52 ( 4.14 -  7.08)
--     first word of 50,000, Cyrillic     8.17 ( 7.98 - 10.76)         1.25 ( 1.21 -  1.42)
--
-- Two digits behind a first word are in 300 skills; most of the time goes into the rows of so many.
--
-- Also tried:
--     the first two and the last two        runs of three letters, the rarer two of them: 43 ms to list the skills for
--                                           "Karate 12" instead of 5, 230 instead of 14 for "Course 417 of Shotokan",
--                                           since the one part that is rare was not among them
--     two parts instead of three            1.4 ms to list "Karate 123456" instead of 0.9
--     four hits on four pages in a row      are not many: one warrior's skills may stand there together
--     pages folded and compared row by row  each term costs 0.15 to 0.3 ms more
--     the first and the last three letters  2.8 to 4.4 ms to list "Karate 123456"

-- The skills of one page of the dictionary as one text, a sample to look into for the term: folded as it needs, since
-- folding all alphabets takes three times as long. Empty when the page holds none now.
create or replace function public.warrior_sampled_skills(needle text, page bigint) returns text
language plpgsql stable
as $$
declare
    listed constant text := coalesce((
        select string_agg(skill, chr(1))
          from public.warrior_skill
         where ctid >= format('(%s,0)', page)::tid and ctid < format('(%s,0)', page + 1)::tid), '');
begin
    return case when octet_length(needle) = length(needle) then lower(listed collate "C") else lower(listed) end;
end
$$;

-- The listed skills that hold the term; null when there are, or seem to be, over 1,000. What seems so depends on
-- chance; what the search answers does not.
create or replace function public.warrior_few_skills(needle text, pattern text, indexable boolean, pair text[])
returns text[]
language plpgsql stable
as $$
declare
    most constant bigint := 1000;
    large constant bigint := 64;
    pages constant bigint := pg_relation_size('public.warrior_skill') / current_setting('block_size')::bigint;
    sample text;
    other_pages text;
    held bigint;
    -- Where in the term a part may begin.
    rest constant integer := greatest(length(needle) - 3, 1);
    places constant integer := least(rest, 11);
    parts text[];
    candidates bigint;
    skills text[];
begin
    if indexable and pages > large then
        sample := public.warrior_sampled_skills(needle, floor(random() * pages)::bigint);
        if strpos(sample, needle) > 0 then
            -- The page that led here proves nothing, nor do many on one page: they may have come together. Pages
            -- drawn anew say how many skills hold the term.
            other_pages := public.warrior_sampled_skills(needle, floor(random() * pages)::bigint)
                || chr(1) || public.warrior_sampled_skills(needle, floor(random() * pages)::bigint)
                || chr(1) || public.warrior_sampled_skills(needle, floor(random() * pages)::bigint);
            held := (
                select count(*)
                  from unnest(string_to_array(other_pages, chr(1))) as skill
                 where strpos(skill, needle) > 0);
            if held * pages / 3 > 4 * most then
                return null;
            end if;
        end if;
        -- Three characters of the term from up to twelve places: the three that come last on the page, or best not at
        -- all. (What makes a trigram by itself, as in warrior_search.)
        parts := array(
            select cut.part
              from (select substr(needle, 1 + place * rest / places, 3) as part
                      from generate_series(0, places) as place) as cut
             where cut.part ~ '[[:alnum:]]{3}|[[:alnum:]]{2}[^[:alnum:]]|[^[:alnum:]][[:alnum:]]{2}'
             order by nullif(strpos(sample, cut.part), 0) desc nulls first
             limit 3);
        if cardinality(parts) = 3 and strpos(sample, parts[1]) = 0 then
            parts := array(
                select '%' || regexp_replace(part, '([\\%_])', '\\\1', 'g') || '%'
                  from unnest(parts) as part);
            with candidate as materialized (
                select skill
                  from public.warrior_skill
                 where lower(skill) like parts[1] and lower(skill) like parts[2] and lower(skill) like parts[3]
                 limit 4 * most)
            select (select count(*) from candidate),
                   array(
                       select skill
                         from candidate
                        where public.warrior_folded(skill) collate "C" like pattern
                        limit most + 1)
              into candidates, skills;
        end if;
    end if;
    -- No part is rare, or too many hold all three.
    if candidates is null or candidates = 4 * most then
        skills := public.warrior_search_listed(pattern, indexable, pair, most + 1);
    end if;
    return case when cardinality(skills) <= most then skills end;
end
$$;

-- Skills: the term in the dictionary of skills, then the rows of those skills.
create or replace function public.warrior_search_skills(
    needle text, pattern text, indexable boolean, earlier uuid[], samples double precision, sample_from tid, sample_to tid)
returns uuid[]
language plpgsql stable
as $$
declare
    wanted constant bigint := 50 - cardinality(earlier);
    pair constant text[] := public.warrior_pair_patterns(needle);
    skills constant text[] := public.warrior_few_skills(needle, pattern, indexable, pair);
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
    if skills is null then
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

-- Names. `pattern` is the LIKE pattern; `index_pattern` one for the index that finds at least the same rows,
-- or null when none helps. The sample is `pages` / `samples` pages.
create or replace function public.warrior_search_names(
    needle text, pattern text, index_pattern text, pages bigint, samples double precision, sample_from tid, sample_to tid)
returns uuid[]
language plpgsql stable
as $$
declare
    pair text[];
    sampled bigint;
    matched bigint;
    rows bigint;
    walk bigint;
    most bigint;
    expected double precision;
    asked record;
    hits uuid[];
begin
    -- No index helps, so whether it is frequent does not matter.
    if index_pattern is null and needle !~ '^[[:alnum:]]{2}$' then
        return public.warrior_walk_names(pattern, null);
    end if;
    -- A long term is mostly rare, which the index says for less than a sample does.
    if length(needle) > 5 and index_pattern is not null then
        asked := public.warrior_index_names(pattern, index_pattern, null, 301);
        if asked.found_rows <= 300 then
            return asked.hits;
        end if;
    end if;

    select count(*), count(*) filter (where public.warrior_folded(name) collate "C" like pattern)
      into sampled, matched
      from public.warrior
     where ctid >= sample_from and ctid < sample_to;
    rows := samples * sampled;
    expected := samples * matched;
    -- Three, for fewer may be chance.
    if matched > 2 and 30 * matched > sampled then
        -- The sample for a pair of letters is large, so the share is sure; but the names that come first may be short
        -- ones, which hold no pair.
        walk := case when index_pattern is null then 2000 else 200 end * sampled / matched;
        hits := public.warrior_walk_names(pattern, walk);
        if cardinality(hits) = 50 then
            return hits;
        end if;
        -- Three were chance, too; the walk has seen more rows than the sample.
        expected := rows::double precision * cardinality(hits) / walk;
    end if;
    if index_pattern is null then
        pair := public.warrior_pair_patterns(needle);
        if pair is null then
            return public.warrior_walk_names(pattern, null);
        end if;
    end if;

    if matched = 0 then
        -- Three letters are mostly either in no name or in many; this knows it for less.
        if rows > 10000 and needle ~ '^[[:alnum:]]{3}$' then
            hits := public.warrior_bucket_names(pattern, index_pattern, pair, rows < 8000000, true);
            if hits is not null then
                return hits;
            end if;
        end if;
        asked := public.warrior_index_names(pattern, index_pattern, pair, 301);
        if asked.found_rows <= 300 then
            return asked.hits;
        end if;
        -- The index reads in the order of the table, and says how far it got.
        expected := asked.found_rows * greatest(pages / ((asked.last_read::text::point)[0] + 1), 1);
    end if;

    -- One or two matches in the sample say little. Buckets of one character find out for less than a walk in vain.
    if expected > 600 and (matched between 1 and 2 or 50 * rows > 2000 * expected) then
        hits := public.warrior_bucket_names(
            pattern, index_pattern, pair,
            case when matched > 0 then rows < 8000000 else expected < 20000 end, false);
        if hits is not null then
            return hits;
        end if;
    end if;
    if 50 * rows <= 2000 * expected then
        hits := public.warrior_walk_names(pattern, (200 * rows / expected)::bigint);
        if cardinality(hits) = 50 then
            return hits;
        end if;
    end if;

    -- As in V9: so many hits that the two ways are equally dear, or else it is frequent.
    most := greatest(500, sqrt(25 * rows));
    asked := public.warrior_index_names(pattern, index_pattern, pair, most + 1);
    if asked.found_rows <= most then
        return asked.hits;
    end if;
    hits := public.warrior_walk_names(pattern, 200 * rows / most);
    if cardinality(hits) = 50 then
        return hits;
    end if;
    asked := public.warrior_index_names(pattern, index_pattern, pair, null);
    return asked.hits;
end
$$;
