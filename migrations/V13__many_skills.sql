-- A search where skills hardly repeat, and for one letter: the same answers (V9, V11) for less.
--
-- A term that 40,000 of 1,000,000 listed skills hold was looked up in the dictionary first, only to learn that there
-- are over 1,000; and for a rare skill the index read the lists of all its trigrams, however long. Now some pages of
-- a large dictionary are looked into first. They tell what is in many skills, and which two parts of the term fewest
-- skills hold. A dictionary of up to 64 pages, some 10,000 skills, is read as it was.
--
-- A term that no index helps with, one letter mostly, is looked for in name order at once. A sample of the table said
-- whether it is frequent, which changed nothing.
--
-- CPU time of a call in ms at 1,000,000 rows with 1,000,000 different skills, 300 terms of a class (6 parts, 25 skills),
-- eight a statement; the functions of V11 and these in turn, median of 5 rounds (least - most):
--
--                                            V11                         this
--     no match, 12 letters             0.36 (0.35 - 0.42)          0.44 (0.41 - 0.50)
--     8 letters of one name            0.39 (0.38 - 0.47)          0.43 (0.40 - 0.46)
--     50 letters, no match             0.37 (0.35 - 0.39)          0.42 (0.39 - 0.45)
--     part of many skills              1.10 (1.07 - 1.72)          1.14 (1.05 - 1.22)
--     one letter                       0.71 (0.47 - 0.75)          0.35 (0.31 - 0.52)
--     first word of 40,000 skills      8.30 (8.16 - 8.53)          1.43 (1.18 - 1.52)
--     one skill                        3.46 (3.30 - 3.61)          0.76 (0.68 - 0.82)
--
-- Also tried: two pages folded and compared row by row, which costs each term 0.15 to 0.3 ms more; the first and the
-- last three letters of a skill instead of the rare ones (2.8 to 4.4 ms to list "Karate 123456" instead of 0.3).

-- The skills of some pages of the dictionary as one text: a sample to look into. Only ASCII is folded.
create or replace function public.warrior_sampled_skills(page bigint, pages bigint) returns text
language plpgsql stable
as $$
begin
    return lower((
        select string_agg(skill, chr(1))
          from public.warrior_skill
         where ctid >= format('(%s,0)', page)::tid and ctid < format('(%s,0)', page + pages)::tid) collate "C");
end
$$;

-- The listed skills that hold the term; null when there are over 1,000.
create or replace function public.warrior_few_skills(needle text, pattern text, indexable boolean, pair text[])
returns text[]
language plpgsql stable
as $$
declare
    most constant bigint := 1000;
    large constant bigint := 64;
    pages constant bigint := pg_relation_size('public.warrior_skill') / current_setting('block_size')::bigint;
    sample text;
    -- Three letters or digits in a row, of the term.
    part text[];
    skills text[];
begin
    if indexable and pages > large then
        sample := public.warrior_sampled_skills(floor(random() * pages)::bigint, 1);
        if strpos(sample, needle) > 0 then
            -- One may be chance; four on four pages, some 600 skills, are not.
            sample := sample || public.warrior_sampled_skills(floor(random() * (pages - 3))::bigint, 3);
            if length(sample) - length(replace(sample, needle, '')) > 3 * length(needle) then
                return null;
            end if;
        end if;
        part := array(select found.part[1] from regexp_matches(needle, '[[:alnum:]]{3}', 'g') as found (part));
        if cardinality(part) > 2 then
            part := array(
                select listed.part
                  from unnest(part[:2] || part[greatest(3, cardinality(part) - 1):]) as listed (part)
                 order by length(replace(sample, listed.part, '')) desc
                 limit 2);
        end if;
    end if;
    if cardinality(part) = 2 then
        -- offset 0 keeps the term itself, and so its other trigrams, out of the index condition.
        skills := array(
            select listed.skill
              from (select skill
                      from public.warrior_skill
                     where lower(skill) like '%' || part[1] || '%' and lower(skill) like '%' || part[2] || '%'
                    offset 0) as listed
             where public.warrior_folded(listed.skill) collate "C" like pattern
             limit most + 1);
    else
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
