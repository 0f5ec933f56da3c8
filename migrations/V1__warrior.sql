-- The table. Who may do what with it stands in src/store/sql/schema/grants.sql.
--
-- id          uuid: made by the API before the request is queued (version 7, or 8 when derived from
--             an Idempotency-Key), so that an attempt with unknown outcome can be repeated. The
--             default serves rows that come in by psql or COPY; version 4 is what PostgreSQL 15 has.
-- name        varchar(100): counts code points, as the contract does. No index on it can fail: 100
--             characters are at most 400 bytes.
-- dob         date: PostgreSQL also takes infinity, BC and years over 9999. The API refuses those;
--             rows that came in by other ways are served and searched by the text they are served as.
-- fight_skills text[]: kept in order, duplicates allowed. A table of skills with a foreign key would
--             make 14 rows of one and turn every read into a join.
-- created_at  timestamptz: nothing orders by it, so it has no index.
--
-- Indexes stand in migrations/concurrently, each with its reason; this is what each costs, and what the
-- seed's would cost. 50-row inserts by 4 clients, both cores, 125,000 rows of laboratory data (names of 1
-- to 100 random letters, the worst case for trigrams), rows/s, mean of two rounds side by side:
--
--     primary key alone                                 285,000
--     + counter (V2)                                    249,000    kept: count(*) grows, this does not
--     + dictionaries (V3)                               175,000    kept: parts of skills and dates
--     + idx_warrior_name_order                          193,000    kept: the order of every answer
--     + idx_warrior_dob (dob)                           224,000    kept: the seed's idx_warrior_dob
--       (dob, name, id) instead                         199,000    left out: the year 1985 is found in
--                                                                  7.5 ms at 1,000,000 rows without it
--     + idx_warrior_skill_keys                          161,000    kept: instead of the seed's
--                                                                  idx_warrior_fight_skills, same cost
--     + idx_warrior_name_trigram                         32,000    kept: a part of a name; nothing else
--                                                                  finds it without reading all
--       the same with fastupdate = off                    6,400    left out
--     one trigram index over name, date and skills       32,000    left out: cannot tell the tiers apart
--     seed: idx_warrior_name (tsvector of name)         119,000    left out: finds words, not parts
--     seed: idx_warrior_search (tsvector of all)         65,000    left out: the same; and PostgreSQL
--                                                                  refuses it, array_to_string is stable
--     seed: idx_warrior_created_at                      252,000    left out: no statement uses it
--
-- Every migration can be run again: refinery records a migration in a transaction after the one that
-- ran it, and a kill may fall between the two. So everything says "if not exists" or "or replace".
-- For the same reason this file adopts a table that is already there; `schema apply` has checked its
-- columns first, and `schema print` shows what else it does.

-- Trusted since PostgreSQL 13: a role with CREATE on the database may install it, no superuser needed.
create extension if not exists pg_trgm;

create table if not exists public.warrior (
    id uuid primary key default gen_random_uuid(),
    name varchar(100) not null,
    dob date not null,
    fight_skills text[] not null,
    created_at timestamptz not null default now()
);

-- A search reads names from the index alone where vacuum has marked the pages: 76 ms for 125,000 names,
-- and 265 ms where it has not. Rows are only ever added, and by default vacuum would come after 20 % new
-- ones; at 5 % it reads little more, since it skips the pages it has marked.
alter table public.warrior set (
    autovacuum_vacuum_insert_threshold = 10000,
    autovacuum_vacuum_insert_scale_factor = 0.05
);
