-- Skills that hold the term: the term in the dictionary of skills, then the rows of those skills in name order. Which
-- way is chosen when stands in ../../../docs/ARCHITECTURE.md#the-life-of-a-search.
--
-- A dictionary of some size is sampled first. One page tells which terms may be in many skills, so that these are not
-- listed only to learn that there are over 1,000; and which parts of the term are rare, so that the index does not read
-- the lists of all trigrams. Measured: ../../../bench/results/2026-11-schema/README.md#search.

-- A sample: the skills of one page of the dictionary as one text, folded as far as the term needs, since folding all
-- alphabets takes longer. Empty when the page holds none now.
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

-- The listed skills that hold the term, at most `most` (null: all; of a pair, `most` inside and at the end).
create or replace function public.warrior_search_listed(
    pattern text, indexable boolean, pair text, most bigint)
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
              from (select skill from public.warrior_skill where lower(skill) ~ pair limit most) as inside
            union
            select skill
              from (select skill from public.warrior_skill where lower(skill) like left(pattern, -1) limit most) as at_the_end);
    end if;
    return array(
        select skill
          from (select skill from public.warrior_skill offset 0) as listed
         where lower(skill) like pattern
         limit most);
end
$$;

-- The same; null when there are, or seem to be, over 1,000. What seems so depends on chance; what the search answers
-- does not.
create or replace function public.warrior_few_skills(needle text, pattern text, indexable boolean, pair text)
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
    -- Places in the term where a part may begin.
    rest constant integer := greatest(length(needle) - 3, 1);
    places constant integer := least(rest, 11);
    parts text[];
    candidates bigint;
    skills text[];
begin
    if indexable and pages > large then
        sample := public.warrior_sampled_skills(needle, floor(random() * pages)::bigint);
        if strpos(sample, needle) > 0 then
            -- Pages drawn anew, since the first one is biased, and since skills of one page may have come together.
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
        -- Rare parts: three characters of the term from up to twelve places, of those that make a trigram by themselves,
        -- the three that come last on the page, or best not at all.
        parts := array(
            select cut.part
              from (select substr(needle, 1 + place * rest / places, 3) as part
                      from generate_series(0, places) as place) as cut
             where public.warrior_has_trigram(cut.part)
             order by nullif(strpos(sample, cut.part), 0) desc nulls first
             limit 3);
        if cardinality(parts) = 3 and strpos(sample, parts[1]) = 0 then
            parts := array(
                select '%' || regexp_replace(part, E'([\\\\%_])', E'\\\\\\1', 'g') || '%'
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
    -- No part is rare, or too many skills hold all three.
    if candidates is null or candidates = 4 * most then
        -- Some hundred skills are read for less than the trigrams of a pair.
        skills := public.warrior_search_listed(pattern, indexable, case when pages > 4 then pair end, most + 1);
    end if;
    return case when cardinality(skills) <= most then skills end;
end
$$;

-- Walk, as that of names. `earlier` holds the hits of the tiers before.
create or replace function public.warrior_skills_by_walk(skills text[], earlier tid[], most bigint) returns tid[]
language plpgsql stable
as $$
begin
    return array(
        select w.ctid
          from (select id, name, fight_skills, ctid
                  from public.warrior
                 order by name collate "C", id
                 limit most) as w
         where w.fight_skills && skills
           and w.ctid <> all (earlier)
         order by w.name collate "C", w.id
         limit 50 - cardinality(earlier));
end
$$;

-- Over 1,000 skills are too many for one index condition, whose cost grows with skills times rows. Such a term is
-- frequent, so it is looked for by a walk through the rows themselves, and then by an index scan for every 200 skills.
create or replace function public.warrior_search_by_many_skills(
    pattern text, indexable boolean, pair text, earlier tid[])
returns tid[]
language plpgsql stable
as $$
declare
    walk constant bigint := 20000;
    wanted constant bigint := 50 - cardinality(earlier);
    skills text[];
    hits tid[];
begin
    hits := array(
        select w.ctid
          from (select id, name, fight_skills, ctid
                  from public.warrior
                 order by name collate "C", id
                 limit walk) as w
         where w.ctid <> all (earlier)
           and exists (select from unnest(w.fight_skills) as skill where lower(skill) like pattern)
         order by w.name collate "C", w.id
         limit wanted);
    if cardinality(hits) = wanted then
        return hits;
    end if;

    skills := public.warrior_search_listed(pattern, indexable, pair, null);
    return array(
        select hit.ctid
          from (select distinct w.id, w.name, w.ctid
                  from (select array_agg(skill) as part
                          from unnest(skills) with ordinality as listed (skill, place)
                         group by place / 200) as listed
                 cross join lateral (
                       select id, name, ctid
                         from public.warrior
                        where public.warrior_skill_keys(fight_skills) && public.warrior_skill_keys(listed.part)
                          and fight_skills && listed.part) as w
                 where w.ctid <> all (earlier)) as hit
         order by hit.name collate "C", hit.id
         limit wanted);
end
$$;

-- Chooses the way, from top to bottom as the table in docs/ARCHITECTURE.md.
create or replace function public.warrior_search_by_skill(needle text, pattern text, earlier tid[]) returns tid[]
language plpgsql stable
as $$
declare
    wanted constant bigint := 50 - cardinality(earlier);
    indexable constant boolean := public.warrior_has_trigram(needle);
    pair constant text := public.warrior_pair_expression(needle);
    skills constant text[] := public.warrior_few_skills(needle, pattern, indexable, pair);
    sample_pages integer;
    sample record;
    sampled bigint;
    matched bigint;
    rows bigint;
    most bigint;
    keys text[];
    hits tid[];
    found_rows bigint;
begin
    if cardinality(skills) = 0 then
        return '{}';
    end if;
    if skills is null then
        return public.warrior_search_by_many_skills(pattern, indexable, pair, earlier);
    end if;

    -- The second sample is large, since the index reads all rows of a skill before it gives the first.
    foreach sample_pages in array array[2, 8] loop
        for draw in 1..5 loop
            sample := public.warrior_sample(sample_pages, draw);
            select count(*), count(*) filter (where fight_skills && skills)
              into sampled, matched
              from public.warrior
             where ctid >= sample.first and ctid < sample.past;
            exit when sampled > 0;
        end loop;
        rows := sample.samples * sampled;
        most := greatest(500, sqrt(25 * rows));
        -- One may be chance.
        if matched > 1 and sample.samples * matched > most then
            hits := public.warrior_skills_by_walk(skills, earlier, 200 * sampled / matched);
            if cardinality(hits) = wanted then
                return hits;
            end if;
            exit;
        end if;
    end loop;

    keys := public.warrior_skill_keys(skills);
    loop
        with hit as materialized (
            select id, name, ctid
              from public.warrior
             where public.warrior_skill_keys(fight_skills) && keys
               and fight_skills && skills
               and ctid <> all (earlier)
             limit most + 1)
        select (select count(*) from hit),
               array(select ctid from hit order by name collate "C", id limit wanted)
          into found_rows, hits;
        exit when most is null or found_rows <= most;

        -- At least as far as the walk of names.
        hits := public.warrior_skills_by_walk(skills, earlier, greatest(200 * rows / most, 10000));
        exit when cardinality(hits) = wanted;
        most := null;
    end loop;
    return hits;
end
$$;
