-- The table. Rights on it stand in src/store/sql/schema/grants.sql, indexes in schema/indexes.
--
-- id           uuid: made by the API before the request is queued (version 7, or 8 when derived from an
--              Idempotency-Key), so that an attempt with unknown outcome can be repeated. The default serves rows of
--              psql and COPY; version 4 is what PostgreSQL 15 has.
-- name         varchar(100): counts code points, as the contract does. No index entry of a name is too long: 100
--              characters are at most 400 bytes.
-- dob          date: PostgreSQL also takes infinity, BC and years over 9999. The API refuses those; rows that came in
--              by other ways are served, and searched by the text that is served.
-- fight_skills text[]: kept in order, duplicates allowed. A table of skills with a foreign key would make 14 rows of
--              one and turn every read into a join.
-- created_at   timestamptz: nothing orders by it, so no index holds it.
--
-- What each index costs an insert, those of the seed included: ../../bench/results/2026-11-schema/README.md#indexes.
--
-- Idempotence: refinery records a file in a transaction after the one that ran it, and a kill may fall between the two.
-- Every file here can therefore be run again ("if not exists", "or replace"). This one adopts a table that is already
-- there; `schema apply` has checked the columns first, and `schema print` shows the further steps of an adoption.

-- A trusted extension since PostgreSQL 13: CREATE on the database is enough to install it.
create extension if not exists pg_trgm;

create table if not exists public.warrior (
    id uuid primary key default gen_random_uuid(),
    name varchar(100) not null,
    dob date not null,
    fight_skills text[] not null,
    created_at timestamptz not null default now()
);

-- Index-only scans: a search reads names from the index alone where vacuum has marked the pages. Rows are only ever
-- added, and the default waits for 20 % new ones. A vacuum after 5 % reads little more, since marked pages are skipped.
--
-- Cost delay: autovacuum also empties the pending lists (functions/flush.sql), which no other session can do meanwhile. With
-- the default pauses the lists grow longer; the price, fewer inserts meanwhile, stands in the results (#flush).
alter table public.warrior set (
    autovacuum_vacuum_insert_threshold = 10000,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);
