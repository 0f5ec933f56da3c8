-- Names that hold the term, in name order, at most 50: by a walk, an index scan, or buckets. Which is chosen when
-- stands in ../../../docs/ARCHITECTURE.md#the-life-of-a-search; no choice is left to the planner's estimates.
--
-- Buckets: idx_warrior_name_parts holds, behind each name, a word of two letters that stand for the name's first two
-- characters, and so a posting list for the first character and one for both. The index can give the hits among the
-- names that begin with " ", then with "!" and so on, in name order, and stop at 50. They help terms with some
-- thousands of hits: too few for a walk, which reads 50 / share rows, and too many to read and sort. A database whose
-- LC_CTYPE is C has no letters beyond ASCII and so no buckets.
--
-- Measured, with what else was tried: ../../../bench/results/2026-11-schema/README.md#search.

-- Walk: at most 50 hits among the first `most` names (null: among all). The inner limit keeps the filter out of the
-- subquery, so that no plan but the walk is possible.
--
-- Beyond ASCII only K (Kelvin) and İ fold into it, so a name is folded a second time for a term with k or i alone.
--
-- The walk reads the index alone. The rows of its hits are then found in the pages of that index that it has just read: as
-- a range, an id is no reason for the planner to look in the primary key.
create or replace function public.warrior_names_by_walk(needle text, pattern text, most bigint) returns tid[]
language plpgsql stable
as $$
declare
    ascii constant boolean := octet_length(needle) = length(needle);
    twice constant boolean := ascii and needle ~ '[ik]';
begin
    return array(
        select w.ctid
          from (select name, id
                  from (select id, name
                          from public.warrior
                         order by name collate "C", id
                         limit most) as w
                 where public.warrior_name_holds(w.name, pattern, ascii)
                    or twice and public.warrior_name_holds(w.name, pattern, false)
                 order by w.name collate "C", w.id
                 limit 50) as hit
         cross join lateral (
               select ctid
                 from public.warrior
                where name collate "C" = hit.name and id >= hit.id and id <= hit.id
                order by name collate "C", id
                limit 1) as w
         order by hit.name collate "C", hit.id);
end
$$;

-- Index scan by `index_pattern`, or by the expression of a pair; the other one is null. At most `most` hits (null: all).
-- Gives their number, the first 50 in name order, and where in the table the scan ended.
--
-- Plan guards: idx_warrior_name_order does not hold tableoid, so that reading all of that index instead of the trigrams is
-- not among the plans ("ctid is not null" would do, but PostgreSQL 17 knows it to be true). offset 0 keeps the recheck of
-- the name out of the index condition; it is needed since the indexed text is longer than the name.
create or replace function public.warrior_names_by_index(
    pattern text, index_pattern text, pair text, most bigint, out found_rows bigint, out hits tid[], out last_read tid)
language plpgsql stable
as $$
begin
    with hit as materialized (
        select w.id, w.name, w.ctid
          from (select id, name, ctid
                  from public.warrior
                 where (lower(name) || ' ' || chr(19968 + ascii(name) % 20000) || chr(19968 + ascii(substr(name, 2)) % 20000)
                            like index_pattern
                        or lower(name) || ' ' || chr(19968 + ascii(name) % 20000) || chr(19968 + ascii(substr(name, 2)) % 20000)
                            ~ pair)
                   and tableoid <> 0
                offset 0) as w
         where public.warrior_folded(w.name) collate "C" like pattern
         limit most)
    select (select count(*) from hit),
           array(select ctid from hit order by name collate "C", id limit 50),
           (select max(ctid) from hit)
      into found_rows, hits, last_read;
end
$$;

-- Index scan of one bucket: the names whose first `width` characters are `start`. Number and `most` mean the rows that
-- the index gives; another bucket may have the same code.
create or replace function public.warrior_names_in_bucket(
    pattern text, index_pattern text, start text, width integer, most bigint, out found_rows bigint, out hits tid[])
language plpgsql stable
as $$
declare
    -- The trigram of the word's first letter, or the one of both letters.
    place constant text := index_pattern || case width
        when 1 then ' ' || chr(19968 + ascii(start) % 20000) || '%'
        else chr(19968 + ascii(start) % 20000) || chr(19968 + ascii(substr(start, 2)) % 20000)
    end;
begin
    with candidate as materialized (
        select id, name, ctid
          from public.warrior
         where lower(name) || ' ' || chr(19968 + ascii(name) % 20000) || chr(19968 + ascii(substr(name, 2)) % 20000)
               like place
           and tableoid <> 0
         limit most)
    select (select count(*) from candidate),
           array(
               select ctid
                 from candidate
                where left(name, width) = start
                  and public.warrior_folded(name) collate "C" like pattern
                order by name collate "C", id
                limit 50)
      into found_rows, hits;
end
$$;

-- Buckets, one after the other in name order, until there are 50 hits. Null: given up, since they hold too many hits to
-- sort, or too few to be worth it.
create or replace function public.warrior_names_by_buckets(pattern text, index_pattern text, wide boolean, eager boolean)
returns tid[]
language plpgsql stable
as $$
declare
    most constant bigint := 300;
    last_probe constant integer := 12;
    -- Characters of a bucket: two where one gives too many hits.
    width integer := case when wide then 1 else 2 end;
    bound text := '';
    next_name text;
    start text;
    asked record;
    hits tid[] := '{}';
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
        -- A name shorter than a bucket is shorter than the term, too.
        if length(start) < width then
            bound := start;
            continue;
        end if;
        asked := public.warrior_names_in_bucket(pattern, index_pattern, start, width, most + 1);
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
        -- Behind its pace: half as many as there should be by now.
        exit when eager and probe > 2 and 2 * cardinality(hits) * last_probe < 50 * probe;
        -- Behind every name that begins with `start`: names have at most 100 characters, and U+10FFFF is the last one.
        bound := start || repeat(chr(1114111), 100);
    end loop;
    return null;
end
$$;

-- Chooses the way, from top to bottom as the table in docs/ARCHITECTURE.md. `pattern` is the LIKE pattern.
create or replace function public.warrior_search_by_name(needle text, pattern text) returns tid[]
language plpgsql stable
as $$
declare
    -- A pattern for the index that finds at least the same rows, or null when none helps.
    index_pattern text;
    pair text;
    -- Two trigrams of a long term: its first and its last three letters or digits in a row. Each trigram more is
    -- another posting list to read.
    head text;
    tail text;
    sample record;
    sampled bigint;
    matched bigint;
    rows bigint;
    walk bigint;
    most bigint;
    expected double precision;
    asked record;
    hits tid[];
begin
    if public.warrior_has_trigram(needle) then
        index_pattern := pattern;
    elsif needle !~ '^[[:alnum:]]{2}$' then
        return public.warrior_names_by_walk(needle, pattern, null);
    end if;
    -- A long term is mostly rare, which the index tells for less than a sample does.
    if length(needle) > 5 and index_pattern is not null then
        head := substring(needle from '[[:alnum:]]{3}');
        tail := substring(needle from '.*([[:alnum:]]{3})');
        if length(substring(needle from '(.*)[[:alnum:]]{3}')) >= strpos(needle, head) + 2 then
            index_pattern := '%' || head || '%' || tail || '%';
        elsif length(needle) > 16 and (public.warrior_has_trigram(left(needle, 6)) or public.warrior_has_trigram(right(needle, 6))) then
            index_pattern := '%' || regexp_replace(left(needle, 6), E'([\\\\%_])', E'\\\\\\1', 'g')
                || '%' || regexp_replace(right(needle, 6), E'([\\\\%_])', E'\\\\\\1', 'g') || '%';
        end if;
        asked := public.warrior_names_by_index(pattern, index_pattern, null, 301);
        if asked.found_rows <= 300 then
            return asked.hits;
        end if;
    end if;

    -- A pair has a costly index, and is worth a larger sample.
    for draw in 1..5 loop
        sample := public.warrior_sample(case when index_pattern is null then 8 else 2 end, draw);
        select count(*), count(*) filter (where public.warrior_name_holds(name, pattern, octet_length(needle) = length(needle)))
          into sampled, matched
          from public.warrior
         where ctid >= sample.first and ctid < sample.past;
        exit when sampled > 0;
    end loop;
    rows := sample.samples * sampled;
    expected := sample.samples * matched;
    -- Fewer may be chance.
    if (index_pattern is null and matched > 1) or (matched > 2 and 30 * matched > sampled) then
        -- At least some thousands for a pair, since the first names may be short ones without any.
        walk := greatest(200 * sampled / matched, case when index_pattern is null then 10000 end);
        hits := public.warrior_names_by_walk(needle, pattern, walk);
        if cardinality(hits) = 50 then
            return hits;
        end if;
        -- It was chance, too. The walk has seen more rows than the sample, so its share is the better one.
        expected := rows::double precision * cardinality(hits) / walk;
    end if;
    if index_pattern is null then
        pair := public.warrior_pair_expression(needle);
        if pair is null then
            return public.warrior_names_by_walk(needle, pattern, null);
        end if;
    end if;

    if matched = 0 then
        -- Three letters are mostly in no name or in many, which buckets tell for less.
        if rows > 10000 and needle ~ '^[[:alnum:]]{3}$' then
            hits := public.warrior_names_by_buckets(pattern, index_pattern, rows < 8000000, true);
            if hits is not null then
                return hits;
            end if;
        end if;
        -- A long term has been asked for.
        if asked is null then
            asked := public.warrior_names_by_index(pattern, index_pattern, pair, 301);
            if asked.found_rows <= 300 then
                return asked.hits;
            end if;
        end if;
        -- The index reads in the order of the table, so its last row tells the share of the table that held the hits.
        expected := asked.found_rows * greatest(
            pg_relation_size('public.warrior') / current_setting('block_size')::bigint
            / ((asked.last_read::text::point)[0] + 1), 1);
    end if;

    -- One or two matches in the sample prove little. Buckets of one character cost less than a walk that finds too few.
    if pair is null and expected > 600 and (matched between 1 and 2 or 50 * rows > 2000 * expected) then
        hits := public.warrior_names_by_buckets(
            pattern, index_pattern, case when matched > 0 then rows < 8000000 else expected < 20000 end, false);
        if hits is not null then
            return hits;
        end if;
    end if;
    if 50 * rows <= 2000 * expected then
        hits := public.warrior_names_by_walk(needle, pattern, (200 * rows / expected)::bigint);
        if cardinality(hits) = 50 then
            return hits;
        end if;
    end if;

    -- The limit where index scan and walk cost the same; a term with more hits is frequent enough to be walked for.
    most := greatest(500, sqrt(25 * rows));
    asked := public.warrior_names_by_index(pattern, index_pattern, pair, most + 1);
    if asked.found_rows <= most then
        return asked.hits;
    end if;
    -- Some thousands, should the sample hold few of the rows.
    hits := public.warrior_names_by_walk(needle, pattern, greatest(200 * rows / most, 10000));
    if cardinality(hits) = 50 then
        return hits;
    end if;
    asked := public.warrior_names_by_index(pattern, index_pattern, pair, null);
    return asked.hits;
end
$$;
