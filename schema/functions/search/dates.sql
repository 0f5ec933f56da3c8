-- Dates that hold the term, as they are written (YYYY-MM-DD): keys of three ordered indexes, each of which has the rows of
-- a key in the order of the answer. Which way is chosen when stands in
-- ../../../docs/ARCHITECTURE.md#the-life-of-a-search.
--
-- Keys: a term stands in a year (idx_warrior_year_order), beginning there it may go on into months and to single dates
-- (idx_warrior_date_order), or it stands in month and day of any year (idx_warrior_day_order). Keys and walk both read
-- until there are 50 hits, so how many rows each of them reads follows from the number of keys.
--
-- Years before Christ and beyond 9999 have texts of other lengths. They are read as a whole; the API stores none.
--
-- Measured: ../../../bench/results/2026-11-schema/README.md#search.

-- Gives where the hits stand in the table; `earlier` holds those of the tier before, by id. DateStyle: the text is the one
-- that is served. No sort and no bitmap: a range of one value is ordered by it, so that no plan but a scan in the order of
-- its index is possible.
create or replace function public.warrior_search_by_date(term text, pattern text, earlier uuid[]) returns tid[]
language plpgsql stable
set DateStyle = 'ISO'
set enable_sort = off
set enable_bitmapscan = off
as $$
declare
    wanted constant bigint := 50 - cardinality(earlier);
    -- Digits of a year; behind a hyphen its last ones, and the first digits of a month; then those of a day.
    parts constant text[] := regexp_match(term, '^([0-9]{1,4})(?:-([0-9]{0,2}))?(?:-([0-9]{0,2}))?$');
    -- What a month begins with as the first and the last month that do.
    first_month constant integer := greatest(1, rpad(coalesce(parts[2], ''), 2, '0')::integer);
    last_month constant integer := least(12, rpad(coalesce(parts[2], ''), 2, '9')::integer);
    first_year numeric;
    last_year numeric;
    years numeric[] := '{}';
    dates date[] := '{}';
    days numeric[] := '{}';
    -- Rows that match, of all rows and of those of the keys, as if rows were spread evenly.
    share double precision := 0;
    share_of_years double precision := 1;
    hits tid[];
    ids uuid[];
begin
    if first_month <= last_month and (parts[3] is null or length(parts[2]) = 2) then
        if length(parts[1]) = 4 then
            years := array_remove(array[parts[1]::numeric], 0);
        else
            -- Bounded, since there may be no year, or an infinite one.
            first_year := least(9999, (
                select extract(year from dob)
                  from public.warrior
                 where extract(year from dob) >= 1
                 order by extract(year from dob), name collate "C", id
                 limit 1));
            last_year := greatest(1, (
                select extract(year from dob)
                  from public.warrior
                 where extract(year from dob) <= 9999
                 order by extract(year from dob) desc, name collate "C" desc, id desc
                 limit 1));
            years := array(
                select year
                  from generate_series(first_year, last_year) as year
                 where lpad(year::text, 4, '0') like '%' || parts[1] || case when parts[2] is null then '%' else '' end);
            share_of_years := (last_month - first_month + 1) / 12.0;
            share := share_of_years * cardinality(years) / (last_year::integer - first_year::integer + 1);
        end if;
        if parts[3] <> '' then
            dates := array(
                select day
                  from unnest(years) as year
                 cross join lateral (
                       select make_date(year::integer, first_month, 1) + n as day from generate_series(0, 30) as n) as month
                 where day::text like pattern);
            years := '{}';
            share := 0;
        end if;
    end if;
    if term ~ '^-?[0-9]{2}-[0-9]{2}$' then
        days := array[replace(term, '-', '')::numeric];
    elsif term ~ '^-?[0-3]?[0-9]?(-[0-3]?[0-9]?)?$' then
        days := array(
            select month.n * 100 + day.n
              from (select n, '-' || lpad(n::text, 2, '0') as part from generate_series(1, 12) as n offset 0) as month,
                   (select n, '-' || lpad(n::text, 2, '0') as part from generate_series(1, 31) as n offset 0) as day
             where month.part || day.part like pattern);
    end if;
    share := share + cardinality(days) / 366.0;

    if share * (cardinality(years) / share_of_years + cardinality(days)) > 1 then
        -- As the walk of names.
        hits := array(
            select w.ctid
              from (select name, id
                      from (select id, name, dob
                              from public.warrior
                             order by name collate "C", id
                             limit (200 / share)::bigint) as w
                     where w.dob::text like pattern
                       and w.id <> all (earlier)
                     order by w.name collate "C", w.id
                     limit wanted) as hit
             cross join lateral (
                   select ctid
                     from public.warrior
                    where name collate "C" = hit.name and id >= hit.id and id <= hit.id
                    order by name collate "C", id
                    limit 1) as w
             order by hit.name collate "C", hit.id);
        if cardinality(hits) = wanted then
            return hits;
        end if;
    end if;

    -- One key, but no month: its first rows are the answer. The general form below reads indexes alone, since it gives up most
    -- rows of many keys, and an id has to be looked up again.
    if cardinality(years) + cardinality(dates) + cardinality(days) = 1 and (years = '{}' or last_month - first_month = 11)
       and not exists (select from public.warrior where dob > '9999-12-31')
       and not exists (select from public.warrior where dob < '0001-01-01') then
        return array(
            select w.ctid
              from (select ctid
                      from public.warrior
                     where extract(year from dob) >= years[1] and extract(year from dob) <= years[1]
                       and id <> all (earlier)
                     order by extract(year from dob), name collate "C", id
                     limit wanted) as w
             union all
            select w.ctid
              from (select ctid
                      from public.warrior
                     where dob >= dates[1] and dob <= dates[1]
                       and id <> all (earlier)
                     order by dob, name collate "C", id
                     limit wanted) as w
             union all
            select w.ctid
              from (select ctid
                      from public.warrior
                     where extract(month from dob) * 100 + extract(day from dob) >= days[1]
                       and extract(month from dob) * 100 + extract(day from dob) <= days[1]
                       and id <> all (earlier)
                     order by extract(month from dob) * 100 + extract(day from dob), name collate "C", id
                     limit wanted) as w);
    end if;

    -- A row that is behind two keys comes from its day.
    ids := array(
        select hit.id
          from (select w.id, w.name
                  from (select year, make_date(year::integer, first_month, 1) as first,
                               (make_date(year::integer, last_month, 1) + interval '1 month')::date as past
                          from unnest(years) as year
                        offset 0) as key
                 cross join lateral (
                       select id, name
                         from public.warrior
                        where extract(year from dob) >= key.year and extract(year from dob) <= key.year
                          and dob >= key.first and dob < key.past
                          and (extract(month from dob) * 100 + extract(day from dob) = any (days)) is not true
                          and id <> all (earlier)
                        order by extract(year from dob), name collate "C", id
                        limit wanted) as w
                 union all
                select w.id, w.name
                  from unnest(dates) as key
                 cross join lateral (
                       select id, name
                         from public.warrior
                        where dob >= key and dob <= key
                          and (extract(month from dob) * 100 + extract(day from dob) = any (days)) is not true
                          and id <> all (earlier)
                        order by dob, name collate "C", id
                        limit wanted) as w
                 union all
                select w.id, w.name
                  from unnest(days) as key
                 cross join lateral (
                       select id, name
                         from public.warrior
                        where extract(month from dob) * 100 + extract(day from dob) >= key
                          and extract(month from dob) * 100 + extract(day from dob) <= key
                          and id <> all (earlier)
                        order by extract(month from dob) * 100 + extract(day from dob), name collate "C", id
                        limit wanted) as w
                 union all
                select id, name
                  from public.warrior
                 where dob > '9999-12-31' and dob < 'infinity' and dob::text like pattern
                   and (extract(month from dob) * 100 + extract(day from dob) = any (days)) is not true
                   and id <> all (earlier)
                 union all
                select id, name
                  from public.warrior
                 where dob >= '-infinity' and dob < '0001-01-01' and dob::text like pattern
                   and (extract(month from dob) * 100 + extract(day from dob) = any (days)) is not true
                   and id <> all (earlier)) as hit
         order by hit.name collate "C", hit.id
         limit wanted);
    return array(select ctid from public.warrior where id = any (ids) order by array_position(ids, id));
end
$$;
