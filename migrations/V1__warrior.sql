-- The table, and who may do what with it.
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
-- Every migration can be run again: refinery records a migration in a transaction after the one that
-- ran it, and a kill may fall between the two. So everything says "if not exists" or "or replace".
-- For the same reason this file adopts a table that is already there; `schema apply` has checked its
-- columns first, and `schema print` shows what else it does.

do $$
declare
    missing text;
begin
    select string_agg(role, ', ')
      into missing
      from unnest(array['warrior', 'warrior_monitor']) as role
     where not exists (select from pg_catalog.pg_roles where rolname = role);
    if missing is not null then
        raise exception using
            errcode = 'undefined_object',
            message = format('role %s does not exist in this cluster', missing),
            hint = format('run as an administrator: psql -d %s -f postgres-conf/roles.sql',
                          current_database());
    end if;
end
$$;

-- Trusted since PostgreSQL 13: a role with CREATE on the database may install it, no superuser needed.
create extension if not exists pg_trgm;

create table if not exists public.warrior (
    id uuid primary key default gen_random_uuid(),
    name varchar(100) not null,
    dob date not null,
    fight_skills text[] not null,
    created_at timestamptz not null default now()
);

-- The runtime role reads and adds. Nothing in the API changes or removes a warrior.
grant select, insert on public.warrior to warrior;
grant select on public.warrior to warrior_monitor;
-- /ready asks which version the schema has.
grant select on public.refinery_schema_history to warrior, warrior_monitor;
