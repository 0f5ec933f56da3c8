-- Dates that hold the term, as they are written: the term in the dictionary of dates, then the rows of those dates in
-- name order. Which way is chosen when stands in ../../../docs/ARCHITECTURE.md#the-life-of-a-search.
--
-- Merge: idx_warrior_date_order has the rows of each day in name order, so 50 rows of a year are among the first row of
-- each of its days, and those before the last of these. Measured:
-- ../../../bench/results/2026-11-schema/README.md#search.

-- Walk, as that of names. `earlier` holds the hits of the tier before.
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

-- The listed dates that hold the term, copies possible, at most `most` (of two digits, `most` for each pattern).
create or replace function public.warrior_search_days(term text, pattern text, indexable boolean, most bigint)
returns date[]
language plpgsql stable
as $$
declare
    pair constant text := substring(pattern from '^%([0-9]{2})%$');
    first date;
    past date;
begin
    -- A range of days for a year, with or without month and day: cheaper than six trigrams. Years beyond four digits
    -- and before Christ may hold the same text.
    if term ~ '^[0-9]{4}(-(0[1-9]|1[0-2])(-[0-9]{2})?)?$' and term !~ '^0000' then
        first := make_date(left(term, 4)::integer, coalesce(nullif(substr(term, 6, 2), ''), '1')::integer, 1);
        past := case when length(term) = 4 then first + interval '1 year' else first + interval '1 month' end;
        return array(
            -- Days of a year or a month by the calendar, which is read faster than the list.
            select first + n
              from generate_series(0, past - first - 1) as n
             where length(term) < 10
               and exists (select from public.warrior_date where day >= first and day < past)
            union all
            select distinct day
              from public.warrior_date
             where length(term) = 10 and day >= first and day < past and written collate "C" like pattern
            union all
            select distinct day from public.warrior_date where day < '0001-01-01' and written collate "C" like pattern
            union all
            select distinct day from public.warrior_date where day > '9999-12-31' and written collate "C" like pattern
            limit most);
    end if;
    if indexable then
        -- With copies: a day that concurrent writers listed twice must not make `most` entries look like all.
        return array(select day from public.warrior_date where written like pattern limit most);
    end if;
    if pair is not null then
        return array(
            select day from (select day from public.warrior_date where written ~ (pair || '[0123456789]') limit most) as before_digit
            union
            -- A space follows the day of a year before Christ: 0044-03-15 BC.
            select day from (select day from public.warrior_date where written ~ (pair || '[- ]') limit most) as before_other
            union
            select day from (select day from public.warrior_date where written like '%' || pair limit most) as at_the_end);
    end if;
    return array(
        select distinct day
          from (select day, written from public.warrior_date offset 0) as listed
         where written like pattern
         limit most);
end
$$;

-- Merge: first as many rows of each day as make `wanted` together; then, of the days that have a name up to the last of
-- these, all rows up to it. No sort and no bitmap, so that no plan but a scan in the order of the index is possible.
create or replace function public.warrior_merge_days(days date[], earlier uuid[], wanted bigint)
returns uuid[]
language plpgsql stable
set enable_sort = off
set enable_bitmapscan = off
as $$
declare
    each_day bigint;
    last_name text;
    found_rows bigint;
    hits uuid[];
begin
    days := array(select distinct day from unnest(days) as listed (day));
    each_day := ceil(wanted / cardinality(days)::double precision);
    with hit as materialized (
        select listed.day, w.id, w.name
          from unnest(days) as listed (day)
         cross join lateral (
               select id, name
                 from public.warrior
                where dob = listed.day
                  and id <> all (earlier)
                order by name collate "C", id
                limit each_day) as w),
    best as materialized (
        select id, name, day from hit order by name collate "C", id limit wanted)
    select (select count(*) from best),
           array(select id from best),
           (select name from best order by name collate "C" desc, id desc limit 1),
           array(select distinct day from best)
      into found_rows, hits, last_name, days;
    if cardinality(days) = 0 or each_day >= wanted then
        return hits;
    end if;
    if found_rows < wanted then
        last_name := repeat(chr(1114111), 100);
    end if;
    return array(
        select w.id
          from unnest(days) as listed (day)
         cross join lateral (
               select id, name
                 from public.warrior
                where dob = listed.day
                  and name collate "C" <= last_name
                  and id <> all (earlier)
                order by name collate "C", id
                limit wanted) as w
         order by w.name collate "C", w.id
         limit wanted);
end
$$;

-- Chooses the way, from top to bottom as the table in docs/ARCHITECTURE.md.
create or replace function public.warrior_search_dates(
    term text, pattern text, indexable boolean, earlier uuid[], samples double precision, sample_from tid, sample_to tid)
returns uuid[]
language plpgsql stable
as $$
declare
    few constant bigint := 500;
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
    if indexable then
        days := public.warrior_search_days(term, pattern, indexable, few + 1);
        if cardinality(days) = 0 then
            return '{}';
        end if;
        if cardinality(days) <= few then
            return public.warrior_merge_days(days, earlier, wanted);
        end if;
    end if;

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

    days := public.warrior_search_days(term, pattern, indexable, null);
    if cardinality(days) = 0 then
        return '{}';
    end if;
    if cardinality(days) <= few then
        return public.warrior_merge_days(days, earlier, wanted);
    end if;
    -- Rows are spread more evenly over dates than over names, so the share of the listed dates is a fair estimate.
    -- reltuples is -1 where the list was never analyzed.
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
