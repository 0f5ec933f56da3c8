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
-- tiers choose by a sample (warrior_sample, text.sql): ../../../docs/ARCHITECTURE.md#the-life-of-a-search.
--
-- Hits are handed on by their place in the table (ctid), which a tier learns when it reads the row: by id, each would be
-- looked up in the primary key as well. The place is that of one version of the row, which stays there while the statement's
-- snapshot sees it.
--
-- Unbounded on purpose, since an answer is never partial: the walk for a term of one letter or digit, or of punctuation
-- marks with one at either end at the most. It reads all names where the term is listed and yet fewer than 50 names hold
-- it; on a table of millions of rows the role's statement_timeout ends it, and the API answers 503.

-- Settings: the functions of the tiers are planned and run with them, too, since only this function calls them.
create or replace function public.warrior_search(term text)
returns setof public.warrior
language plpgsql stable strict
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set max_parallel_workers_per_gather = 0
set jit = off
set plan_cache_mode = force_generic_plan
as $$
declare
    needle constant text := lower(term);
    pattern constant text := '%' || replace(replace(replace(needle, E'\\', E'\\\\'), '%', E'\\%'), '_', E'\\_') || '%';
    listed boolean;
    hits tid[] := '{}';
begin
    -- Lock order: TRUNCATE takes the table and then, in its trigger, the lists; a search that read the letters first
    -- could deadlock with it.
    perform from public.warrior limit 0;
    -- A null among the letters says that their list was given up.
    listed := coalesce(
        (select bool_or(letter is null) or translate(needle, string_agg(letter, ''), '') = '' from public.warrior_letter),
        false);
    if listed then
        hits := public.warrior_search_by_name(needle, pattern);
    end if;
    -- A longer term cannot stand in YYYY-MM-DD.
    if cardinality(hits) < 50 and term ~ '^[0-9-]{1,10}$' then
        hits := hits || public.warrior_search_by_date(
            term, pattern, array(select id from public.warrior where ctid = any (hits)));
    end if;
    if listed and cardinality(hits) < 50 then
        hits := hits || public.warrior_search_by_skill(needle, pattern, hits);
    end if;
    return query
        select * from public.warrior where ctid = any (hits) order by array_position(hits, ctid);
end
$$;
