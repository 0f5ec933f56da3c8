-- The search: at most 50 warriors that hold the term, ignoring case, in the name, else in the date as it is written,
-- else in any one skill; within each of these tiers by name (code points), then by id. Every file beside this one has
-- the number and the order, too; CONTRIBUTING.md names the others.
--
-- One function, so that three tiers are one statement, one round trip and (being stable) one snapshot, and so that the
-- session keeps their plans, unlike those of an unnamed statement. Tiers are read in turn, later ones only while there
-- is room. A row stands in its best tier, since the hits of earlier tiers are left out.
--
-- No plan is left to estimates: reading in name order is cheap for a frequent term and reads every row for a rare one;
-- an index scan is cheap for a rare term and sorts every match for a frequent one. The planner cannot know which. The
-- tiers choose by a sample, two neighbouring pages at random: ../../../docs/ARCHITECTURE.md#the-life-of-a-search.
--
-- Unbounded on purpose, since an answer is never partial: the walk for a term of one letter, or of one or two
-- punctuation marks. It reads all names where the term is listed and yet fewer than 50 names hold it; on a table of
-- millions of rows the role's statement_timeout ends it, and the API answers 503.

-- Settings: the functions of the tiers are planned and run with them, too, since only this function calls them.
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
    wildcard constant text := E'([\\\\%_])';
    -- Parts that pg_trgm can make a trigram of: three letters or digits, or two beside the end of a word. (One beside
    -- it also makes one, which is too frequent to help.)
    trigram constant text := '[[:alnum:]]{3}|[[:alnum:]]{2}[^[:alnum:]]|[^[:alnum:]][[:alnum:]]{2}';
    needle constant text := lower(term);
    pattern constant text := '%' || regexp_replace(needle, wildcard, E'\\\\\\1', 'g') || '%';
    indexable constant boolean := needle ~ trigram;
    -- Two trigrams of a long term: its first and its last three letters or digits in a row. Each trigram more is
    -- another posting list to read.
    head constant text := case when length(needle) > 5 then substring(needle from '[[:alnum:]]{3}') end;
    tail constant text := case when head is not null then substring(needle from '.*([[:alnum:]]{3})') end;
    before_tail constant integer := case when head is not null then length(substring(needle from '(.*)[[:alnum:]]{3}')) end;
    index_pattern constant text := case
        when before_tail >= strpos(needle, head) + 2
            then '%' || head || '%' || tail || '%'
        when length(needle) > 16 and (left(needle, 6) ~ trigram or right(needle, 6) ~ trigram)
            then '%' || regexp_replace(left(needle, 6), wildcard, E'\\\\\\1', 'g')
              || '%' || regexp_replace(right(needle, 6), wildcard, E'\\\\\\1', 'g') || '%'
        when indexable then pattern
    end;
    -- A short term has no index, or a costly one, and is worth a larger sample.
    sample_pages constant bigint := case when indexable then 2 else 8 end;
    pages constant bigint := pg_relation_size('public.warrior') / current_setting('block_size')::bigint;
    page constant bigint := floor(random() * greatest(pages - sample_pages + 1, 1));
    sample_from constant tid := format('(%s,0)', page);
    sample_to constant tid := format('(%s,0)', page + sample_pages);
    samples constant double precision := greatest(pages::double precision / sample_pages, 1);
    listed boolean;
    hits uuid[] := '{}';
begin
    -- Lock order: TRUNCATE takes the table and then, in its trigger, the lists; a search that read the letters first
    -- could deadlock with it.
    perform from public.warrior limit 0;
    -- Null when the list of letters was given up.
    listed := (needle ~ public.warrior_unlisted_letter()) is not true;
    if listed then
        hits := public.warrior_search_names(needle, pattern, index_pattern, pages, samples, sample_from, sample_to);
    end if;
    -- A longer term cannot stand in YYYY-MM-DD.
    if cardinality(hits) < 50 and term ~ '^[0-9-]{1,10}$' then
        hits := hits || public.warrior_search_dates(term, pattern, hits);
    end if;
    if listed and cardinality(hits) < 50 then
        hits := hits || public.warrior_search_skills(needle, pattern, indexable, hits, samples, sample_from, sample_to);
    end if;
    -- Plan guard: offset 0 forces one probe for each hit, instead of a join that was planned while the table was small.
    return query
        select w.id, w.name, w.dob, w.fight_skills
          from unnest(hits) with ordinality as hit (id, place)
         cross join lateral (select * from public.warrior as stored where stored.id = hit.id offset 0) as w
         order by hit.place;
end
$$;
