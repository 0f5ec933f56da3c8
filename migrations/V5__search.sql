create or replace function public.warrior_search_names(pattern text, window_pattern text)
returns uuid[]
language plpgsql stable
as $$
declare
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

        with hit as materialized (
            select w.id, w.name
              from (select id, name
                      from public.warrior
                     where lower(name) like window_pattern and ctid is not null
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
    if not indexable then
        days := array(select distinct day from (select day, written from public.warrior_date offset 0) as d
                       where d.written like pattern);
    else
        days := array(select distinct day from public.warrior_date where written like pattern);
    end if;
    if cardinality(days) = 0 then
        return '{}';
    end if;
    for stage in 1 .. 2 loop
        hits := array(
            select w.id
              from (select id, name, dob
                      from public.warrior
                     order by name collate "C", id
                     limit walks[stage]) as w
             where to_json(w.dob) #>> '{}' like pattern and w.id <> all (earlier)
             order by w.name collate "C", w.id
             limit wanted);
        exit when cardinality(hits) = wanted;

        with hit as materialized (
            select w.id, w.name
              from public.warrior as w
             where w.dob = any (days) and w.id <> all (earlier)
             limit caps[stage] + 1)
        select (select count(*) from hit),
               array(select id from hit order by name collate "C", id limit wanted)
          into found_rows, hits;
        exit when found_rows <= caps[stage];
    end loop;
    return hits;
end
$$;

create or replace function public.warrior_search_skills(pattern text, indexable boolean, earlier uuid[])
returns uuid[]
language plpgsql stable
as $$
declare
    walks bigint[] := array[500, 20000];
    caps constant bigint[] := array[5000, null];
    wanted constant bigint := 50 - cardinality(earlier);
    skills text[];
    hits uuid[];
    found_rows bigint;
begin
    if not indexable then
        skills := array(select skill from (select skill from public.warrior_skill offset 0) as d
                         where lower(d.skill) like pattern limit 1001);
    else
        skills := array(select skill from public.warrior_skill where lower(skill) like pattern limit 1001);
    end if;
    if cardinality(skills) = 0 then
        return '{}';
    end if;
    if cardinality(skills) > 1000 then
        return array(
            select w.id
              from (select id, name, fight_skills
                      from public.warrior
                     order by name collate "C", id
                    offset 0) as w
             where w.id <> all (earlier)
               and exists (select from unnest(w.fight_skills) as skill where lower(skill) like pattern)
             order by w.name collate "C", w.id
             limit wanted);
    end if;
    for stage in 1 .. 2 loop
        hits := array(
            select w.id
              from (select id, name, fight_skills
                      from public.warrior
                     order by name collate "C", id
                     limit walks[stage]) as w
             where w.fight_skills && skills and w.id <> all (earlier)
             order by w.name collate "C", w.id
             limit wanted);
        exit when cardinality(hits) = wanted;

        with hit as materialized (
            select w.id, w.name
              from public.warrior as w
             where w.fight_skills && skills and w.id <> all (earlier)
             limit caps[stage] + 1)
        select (select count(*) from hit),
               array(select id from hit order by name collate "C", id limit wanted)
          into found_rows, hits;
        exit when found_rows <= caps[stage];
    end loop;
    return hits;
end
$$;

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
    trigram constant text := '[[:alnum:]]{3}|[[:alnum:]]{2}[^[:alnum:]]|[^[:alnum:]][[:alnum:]]{2}';
    needle constant text := lower(term);
    pattern constant text := '%' || regexp_replace(needle, wildcard, '\\\1', 'g') || '%';
    indexable constant boolean := needle ~ trigram;
    -- A long term would read one posting list for each of its trigrams; its two ends are as rare.
    ends constant boolean := length(needle) > 16 and (left(needle, 6) ~ trigram or right(needle, 6) ~ trigram);
    window_pattern constant text := case
        when ends then '%' || regexp_replace(left(needle, 6), wildcard, '\\\1', 'g')
                    || '%' || regexp_replace(right(needle, 6), wildcard, '\\\1', 'g') || '%'
        when indexable then pattern
    end;
    hits uuid[];
begin
    hits := public.warrior_search_names(pattern, window_pattern);
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
