-- Triggers of others on warrior, as every create asks for them. What else others put on the table, and what the schema
-- commands say of it, stands in src/store/sql/schema/others.sql, which runs before these functions are there and so has
-- the same condition in its own text; a test compares the two (tests/it/adoption.rs).

-- Trust boundary: an insert trigger of others may drop a row, replace or change it, or delete it after the insert, and
-- `on conflict do nothing ... returning id` shows only the first of these. insert.sql therefore asks here, and
-- stored.sql compares what is there. Every such trigger counts, since its effect cannot be told from the outside; also
-- one that fires in replicas alone, since a session may be set to be one (session_replication_role).
--
-- Identity: a trigger is ours by its name and its function. Either alone is no proof, since others may reuse it.
--
-- The answer cannot be outdated: creating, enabling or changing a trigger waits for every writer of the table, and a
-- statement takes its snapshot after the lock of its table.
--
-- A function, since a session then plans the question once; without a search_path of its own, since every table is
-- named in full and setting one would cost a third more. Measured:
-- ../../bench/results/2026-11-schema/README.md#triggers.
create or replace function public.warrior_has_other_triggers() returns boolean
language plpgsql stable
as $$
begin
    return exists (
        select from pg_catalog.pg_trigger
         where tgrelid = 'public.warrior'::pg_catalog.regclass
           and not tgisinternal
           and tgtype & 4 <> 0 -- INSERT
           and tgenabled <> 'D'
           and (tgname not in ('warrior_inserted', 'warrior_updated', 'warrior_deleted', 'warrior_truncated')
                or tgfoid is distinct from pg_catalog.to_regprocedure('public.' || tgname || '()')));
end
$$;
