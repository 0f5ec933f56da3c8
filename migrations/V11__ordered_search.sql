-- The search once more (V9): the same answer, by reading the hits in its order, and so not all of them.
--
-- What was slow are terms with some thousands of hits: too few for a walk in name order, which reads 50 / share
-- rows, and too many to read and sort. Both grow with the table or with its square root; these do not:
--
--     names    in buckets. Behind each name idx_warrior_name_parts has a word of two letters that stand for the
--              name's first two characters, and a posting list for the first and for both. So the index gives the
--              hits among the names that begin with " ", then with "!" and so on, in name order by next name
--              behind the bucket, until there are 50. With two characters when one has over 300 hits. Given up
--              after twelve buckets, for the ways of V9.
--     dates    merged. idx_warrior_date_order has the rows of each day in name order, so 50 rows of a year are
--              among the first row of each of its days, and those before the last of these.
--
-- How frequent a term is, is no longer guessed from 60 rows alone. The index reads in the order of the table, so
-- where it stands after 301 hits tells how many there are.
--
-- Further: the walk is taken at once only for three matches in the sample or more, as two are chance (1 % of the
-- searches for three letters); a rare pair of letters that the sample happens to show is no longer looked for in
-- all names (up to 0.9 s at the end of the alphabet); a long term is looked up by its first and its last three letters
-- in a row, wherever they stand; a year, month or day is a range of days, not six trigrams.
--
-- CPU time of a call in ms at 1,000,000 rows of laboratory data, mean of 40 terms of a class, each called twice
-- after a pass that is not counted, in a loop of plpgsql; V9 and this in turn, median of 3 rounds (least - most).
-- By the scheduler's clock (/proc/self/schedstat, in steps of 4 ms), since the machine was busy with other work: two
-- cores, load 7. In a loop of four years alone, a year takes 1.4 ms, of which the merge is 0.8.
--
--                                            V9                          this
--     no match, 12 letters             0.35 ( 0.29 -  0.38)         0.35 ( 0.34 -  0.39)
--     8 letters of one name            0.43 ( 0.40 -  0.45)         0.41 ( 0.35 -  0.44)
--     part of many skills              2.50 ( 2.49 -  2.88)         0.99 ( 0.87 -  1.20)
--     one letter                       0.40 ( 0.39 -  0.40)         0.40 ( 0.34 -  0.42)
--     two letters, frequent            0.85 ( 0.82 -  0.96)         0.82 ( 0.74 -  0.84)
--     two letters, rare                5.53 ( 5.51 -  5.97)         0.85 ( 0.84 -  0.94)
--     two letters, absent              0.10 ( 0.09 -  0.10)         0.05 ( 0.03 -  0.05)
--     three letters                    8.60 ( 8.55 -  9.04)         1.28 ( 1.19 -  1.63)
--     four letters                     0.88 ( 0.87 -  0.88)         1.00 ( 0.96 -  1.06)
--     date, whole                      0.71 ( 0.66 -  0.73)         0.40 ( 0.39 -  0.45)
--     date, month                      1.29 ( 1.27 -  1.30)         0.79 ( 0.70 -  0.85)
--     date, year                       5.38 ( 5.36 -  6.30)         2.53 ( 2.39 -  2.54)
--     date, month and day              2.97 ( 2.97 -  3.33)         1.76 ( 1.68 -  1.85)
--     three digits of a year           5.65 ( 5.42 -  5.72)         2.77 ( 2.62 -  2.90)
--     two digits                       5.36 ( 4.94 -  5.76)         3.29 ( 3.12 -  3.32)
--     skill, frequent                  0.59 ( 0.55 -  0.65)         0.65 ( 0.64 -  0.65)
--     skill, rare                      0.30 ( 0.30 -  0.36)         0.36 ( 0.35 -  0.47)
--     50 characters of a name          0.47 ( 0.41 -  0.48)         0.37 ( 0.35 -  0.39)
--     50 letters, no match             0.36 ( 0.29 -  0.38)         0.37 ( 0.36 -  0.41)
--     not ASCII, rare                  0.20 ( 0.20 -  0.21)         0.30 ( 0.30 -  0.30)
--     not ASCII, no match              0.05 ( 0.00 -  0.05)         0.05 ( 0.05 -  0.05)
--
-- What an insert costs, CPU time of a row in batches of 50 into an empty table, 40,000 rows, median of 3 rounds
-- (least - most), us:
--
--     the indexes of V10                                78 (77 - 83)
--     idx_warrior_date_order for idx_warrior_dob        78 (75 - 80)
--     idx_warrior_name_parts for ..._name_trigram       84 (79 - 84)
--     both                                              84 (78 - 92)
--
-- Also tried:
--     the bucket in two hexadecimal digits  which the search for a pair of digits then finds, too: 19,000 rows and
--                                           95 ms for "44"
--     buckets as soon as there are 100      hits: so many have four letters at 1,000,000 rows, and 24 buckets were
--                                           read in vain; 3.8 ms instead of 1.0
-- Not done: a term of some thousands of days (month 10: "-10-") that is neither frequent nor has few days is found
-- as in V9; skills, too. A database whose LC_CTYPE is C has no letters beyond ASCII, so no buckets: each search that
-- would use them reads up to 600 rows more, and goes on as in V9.


-- Answers as in V9, but with "anything else" that includes the space, which follows every name in
-- idx_warrior_name_parts: there the first two find also what stands at the end. Dictionaries need the third.
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
                   needle || '[ ' || coalesce(string_agg(distinct '\' || letter, '') filter (where letter !~ '[[:alnum:]]'), '') || ']',
                   '%' || needle]
          from public.warrior_letter
        having count(*) > 0 and count(distinct letter) <= 200 and bool_and(letter is not null));
end
$$;

-- Names by the index: at most `most` (null: all); how many, and the first 50 of them in name order, and where in the
-- table it stopped to read.
create or replace function public.warrior_index_names(
    pattern text, index_pattern text, pair text[], most bigint, out found_rows bigint, out hits uuid[], out last_read tid)
language plpgsql stable
as $$
begin
    -- tableoid: a column that idx_warrior_name_order does not hold, so that reading all of that index instead of
    -- the trigrams is not among the plans. offset 0 keeps the name itself, which is compared again since what is
    -- indexed is longer, out of the index condition.
    if pair is null then
        with hit as materialized (
            select w.id, w.name, w.ctid
              from (select id, name, ctid
                      from public.warrior
                     where lower(name) || ' ' || chr(19968 + ascii(name) % 20000) || chr(19968 + ascii(substr(name, 2)) % 20000)
                           like index_pattern
                       and tableoid <> 0
                    offset 0) as w
             where public.warrior_folded(w.name) collate "C" like pattern
             limit most)
        select (select count(*) from hit),
               array(select id from hit order by name collate "C", id limit 50),
               (select max(ctid) from hit)
          into found_rows, hits, last_read;
    else
        with hit as materialized (
            select id, name, ctid
              from (select w.id, w.name, w.ctid
                      from (select id, name, ctid
                              from public.warrior
                             where lower(name) || ' ' || chr(19968 + ascii(name) % 20000) || chr(19968 + ascii(substr(name, 2)) % 20000)
                                   ~ pair[1]
                               and tableoid <> 0
                            offset 0) as w
                     where public.warrior_folded(w.name) collate "C" like pattern
                     limit most) as before_letter
            union
            select id, name, ctid
              from (select w.id, w.name, w.ctid
                      from (select id, name, ctid
                              from public.warrior
                             where lower(name) || ' ' || chr(19968 + ascii(name) % 20000) || chr(19968 + ascii(substr(name, 2)) % 20000)
                                   ~ pair[2]
                               and tableoid <> 0
                            offset 0) as w
                     where public.warrior_folded(w.name) collate "C" like pattern
                     limit most) as before_other)
        select (select count(*) from hit),
               array(select id from hit order by name collate "C", id limit 50),
               (select max(ctid) from hit)
          into found_rows, hits, last_read;
    end if;
end
$$;

-- The same for the names of one bucket, those whose first `width` characters are `start`. What is counted, and
-- bounded by `most`, are the rows that the index gives; another bucket may have the same code.
create or replace function public.warrior_index_bucket(
    pattern text, index_pattern text, pair text[], start text, width integer, most bigint,
    out found_rows bigint, out hits uuid[])
language plpgsql stable
as $$
declare
    -- The trigram before the word, of its first letter; or the one behind it, of both.
    place constant text := coalesce(index_pattern, '%') || case width
        when 1 then ' ' || chr(19968 + ascii(start) % 20000) || '%'
        else chr(19968 + ascii(start) % 20000) || chr(19968 + ascii(substr(start, 2)) % 20000)
    end;
begin
    if pair is null then
        with candidate as materialized (
            select id, name
              from public.warrior
             where lower(name) || ' ' || chr(19968 + ascii(name) % 20000) || chr(19968 + ascii(substr(name, 2)) % 20000)
                   like place
               and tableoid <> 0
             limit most)
        select (select count(*) from candidate),
               array(
                   select id
                     from candidate
                    where left(name, width) = start
                      and public.warrior_folded(name) collate "C" like pattern
                    order by name collate "C", id
                    limit 50)
          into found_rows, hits;
    else
        with candidate as materialized (
            select id, name
              from (select id, name
                      from public.warrior
                     where lower(name) || ' ' || chr(19968 + ascii(name) % 20000) || chr(19968 + ascii(substr(name, 2)) % 20000)
                           ~ pair[1]
                       and lower(name) || ' ' || chr(19968 + ascii(name) % 20000) || chr(19968 + ascii(substr(name, 2)) % 20000)
                           like place
                       and tableoid <> 0
                     limit most) as before_letter
            union
            select id, name
              from (select id, name
                      from public.warrior
                     where lower(name) || ' ' || chr(19968 + ascii(name) % 20000) || chr(19968 + ascii(substr(name, 2)) % 20000)
                           ~ pair[2]
                       and lower(name) || ' ' || chr(19968 + ascii(name) % 20000) || chr(19968 + ascii(substr(name, 2)) % 20000)
                           like place
                       and tableoid <> 0
                     limit most) as before_other)
        select (select count(*) from candidate),
               array(
                   select id
                     from candidate
                    where left(name, width) = start
                      and public.warrior_folded(name) collate "C" like pattern
                    order by name collate "C", id
                    limit 50)
          into found_rows, hits;
    end if;
end
$$;

-- Names by the index, bucket by bucket in name order, until there are 50. Null: given up, since the buckets hold
-- too many hits to sort or too few to be worth it.
create or replace function public.warrior_bucket_names(
    pattern text, index_pattern text, pair text[], wide boolean, eager boolean)
returns uuid[]
language plpgsql stable
as $$
declare
    most constant bigint := 300;
    last_probe constant integer := 12;
    -- Buckets of one first character, or of two if there are many hits in one.
    width integer := case when wide then 1 else 2 end;
    bound text := '';
    next_name text;
    start text;
    asked record;
    hits uuid[] := '{}';
begin
    for probe in 1..last_probe loop
        next_name := (
            select name
              from public.warrior
             where name collate "C" > bound
             order by name collate "C", id
             limit 1);
        if next_name is null then
            return hits;
        end if;
        start := left(next_name, width);
        -- A name that is shorter than a bucket is shorter than the term, too.
        if length(start) < width then
            bound := start;
            continue;
        end if;
        asked := public.warrior_index_bucket(pattern, index_pattern, pair, start, width, most + 1);
        if asked.found_rows > most then
            if width = 2 then
                return null;
            end if;
            width := 2;
            continue;
        end if;
        hits := hits || asked.hits;
        if cardinality(hits) >= 50 then
            return hits[:50];
        end if;
        -- Half as many as they should be by now.
        exit when eager and probe > 2 and 2 * cardinality(hits) * last_probe < 50 * probe;
        -- Behind every name that begins so: none is longer than 100, and U+10FFFF is the last code point.
        bound := start || repeat(chr(1114111), 100);
    end loop;
    return null;
end
$$;

drop function if exists public.warrior_search_names(text, text, text[], double precision, tid, tid);
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

drop function if exists public.warrior_search_days(text, boolean);
-- The listed dates that hold the term, some perhaps twice, at most so many (of two digits, so many for each pattern).
create or replace function public.warrior_search_days(term text, pattern text, indexable boolean, most bigint)
returns date[]
language plpgsql stable
as $$
declare
    pair constant text := substring(pattern from '^%([0-9]{2})%$');
    first date;
    past date;
begin
    -- A year, with or without its month and day, is a range of days: cheaper than six trigrams. Beyond four digits
    -- and before Christ the term may stand for more.
    if term ~ '^[0-9]{4}(-(0[1-9]|1[0-2])(-[0-9]{2})?)?$' and term !~ '^0000' then
        first := make_date(left(term, 4)::integer, coalesce(nullif(substr(term, 6, 2), ''), '1')::integer, 1);
        past := case when length(term) = 4 then first + interval '1 year' else first + interval '1 month' end;
        return array(
            -- A year and a month by the calendar, which is read faster than the list.
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
        -- Not each once, so that so many entries are never taken for all: writers at the same time may list a day
        -- twice (V3).
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

-- The rows of some days, in name order: idx_warrior_date_order has each day's in that order. First as many of
-- each day as make `wanted` together; then, of the days that have a name up to the last of these, all up to it.
-- No sort and no bitmap within, so that no plan but a scan in that order is possible.
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

-- Dates: the term in the dictionary of dates, then the rows of those dates.
drop function if exists public.warrior_search_dates(text, boolean, uuid[], double precision, tid, tid);
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

drop function if exists public.warrior_search_skills(text, boolean, text[], uuid[], double precision, tid, tid);
-- Skills: the term in the dictionary of skills, then the rows of those skills.
create or replace function public.warrior_search_skills(
    needle text, pattern text, indexable boolean, earlier uuid[], samples double precision, sample_from tid, sample_to tid)
returns uuid[]
language plpgsql stable
as $$
declare
    wanted constant bigint := 50 - cardinality(earlier);
    pair constant text[] := public.warrior_pair_patterns(needle);
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
    -- Of a long term, its first and its last three letters or digits in a row, two trigrams.
    head constant text := case when length(needle) > 5 then substring(needle from '[[:alnum:]]{3}') end;
    tail constant text := case when head is not null then substring(needle from '.*([[:alnum:]]{3})') end;
    before_tail constant integer := case when head is not null then length(substring(needle from '(.*)[[:alnum:]]{3}')) end;
    index_pattern constant text := case
        when before_tail >= strpos(needle, head) + 2
            then '%' || head || '%' || tail || '%'
        when length(needle) > 16 and (left(needle, 6) ~ trigram or right(needle, 6) ~ trigram)
            then '%' || regexp_replace(left(needle, 6), wildcard, '\\\1', 'g')
              || '%' || regexp_replace(right(needle, 6), wildcard, '\\\1', 'g') || '%'
        when indexable then pattern
    end;
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
    -- Null when the list of letters was given up.
    listed := (needle ~ public.warrior_unlisted_letter()) is not true;
    if listed then
        hits := public.warrior_search_names(needle, pattern, index_pattern, pages, samples, sample_from, sample_to);
    end if;
    -- No longer term can stand in YYYY-MM-DD.
    if cardinality(hits) < 50 and term ~ '^[0-9-]{1,10}$' then
        hits := hits || public.warrior_search_dates(term, pattern, indexable, hits, samples, sample_from, sample_to);
    end if;
    if listed and cardinality(hits) < 50 then
        hits := hits || public.warrior_search_skills(needle, pattern, indexable, hits, samples, sample_from, sample_to);
    end if;
    -- offset 0: one probe for each hit, not a join that was planned when the table was small.
    return query
        select w.id, w.name, w.dob, w.fight_skills
          from unnest(hits) with ordinality as hit (id, place)
         cross join lateral (select * from public.warrior as stored where stored.id = hit.id offset 0) as w
         order by hit.place;
end
$$;
