-- The three roles, run by an administrator (a superuser, or what a managed service gives instead) in
-- the API's own database, as often as one likes:
--
--     psql -d warrior_api -f postgres-conf/roles.sql
--
-- warrior_owner    owns the database and everything in it; `warrior-api schema apply` logs in as it.
-- warrior          what the API logs in as through PgBouncer: SELECT and INSERT on what `schema apply`
--                  grants, nothing else.
-- warrior_monitor  reads statistics (pg_monitor) and the count.
--
-- No password stands here. Set each with `\password warrior` in psql, which sends a SCRAM secret and
-- not the password, so that it shows neither in the server's log nor in the shell's history.

\set ON_ERROR_STOP on

begin;

do $$
declare
    role text;
begin
    foreach role in array array['warrior_owner', 'warrior', 'warrior_monitor'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = role) then
            execute format('create role %I login', role);
        end if;
    end loop;

    if exists (select from pg_catalog.pg_roles
                where rolname = 'warrior' and (rolsuper or rolcreatedb or rolcreaterole)) then
        raise exception using
            message = 'role warrior may do more than an API should (superuser, createdb or createrole)',
            hint = 'as another administrator: alter role warrior nosuperuser nocreatedb nocreaterole;';
    end if;

    -- An administrator who is no superuser can give objects only to a role that it belongs to.
    if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user)
       and not pg_catalog.pg_has_role(current_user, 'warrior_owner', 'usage') then
        execute format('grant warrior_owner to %I', current_user);
    end if;
end
$$;

-- The owner of the database owns its schema public (PostgreSQL 15 and later) and may install trusted
-- extensions such as pg_trgm; so nobody else needs CREATE anywhere.
do $$
begin
    execute format('alter database %I owner to warrior_owner', current_database());
    execute format('revoke create, temporary on database %I from public', current_database());
    -- A database that was upgraded from PostgreSQL 14 or older still lets everybody create there.
    if exists (select from pg_catalog.pg_namespace, pg_catalog.aclexplode(nspacl)
                where nspname = 'public' and grantee = 0 and privilege_type = 'CREATE') then
        revoke create on schema public from public;
    end if;
    if not has_schema_privilege('warrior_owner', 'public', 'create') then
        grant usage, create on schema public to warrior_owner;
    end if;
    -- A table from before these roles, which `schema apply` then adopts.
    if to_regclass('public.warrior') is not null then
        alter table public.warrior owner to warrior_owner;
    end if;
end
$$;

grant usage on schema public to warrior, warrior_monitor;

-- Limits of one statement of the API. They stand on the role, since PgBouncer passes no `options` and
-- a SET would stay behind on a server connection that the next client gets. `schema apply` sets those that
-- a role lacks (src/store/sql/schema/limits.sql).
-- Default: no limit. Ours: longer than any statement should take, shorter than the deadline of a
-- request (3 s), so that PostgreSQL gives up before the client has stopped listening.
alter role warrior set statement_timeout = '2s';
-- Default: no limit. Ours: a lock held by somebody else (DDL, an idle transaction) becomes a 503.
alter role warrior set lock_timeout = '1s';
-- Default: no limit. Ours: a transaction whose client died or hangs must not hold locks and snapshots.
alter role warrior set idle_in_transaction_session_timeout = '5s';
-- Default: "$user", public. Ours: no schema that somebody else could create, temporary tables last.
alter role warrior set search_path = public, pg_temp;
-- Default: from the cluster. Ours: the one date format that cannot be misread.
alter role warrior set DateStyle = 'ISO, YMD';
-- Default: on. Ours: compiling takes longer than any statement of the API runs.
alter role warrior set jit = off;

-- Default: 4MB. Ours: the servers empty the lists of the search indexes before they are that long, so no
-- create does it in the middle of its own statement (schema/functions/flush.sql).
alter role warrior set gin_pending_list_limit = '64MB';

do $$
begin
    grant pg_monitor to warrior_monitor;
exception when insufficient_privilege then
    raise warning using
        message = 'pg_monitor was not granted to warrior_monitor: you lack ADMIN OPTION on it',
        hint = 'monitoring shows less; ask your provider for: grant pg_monitor to warrior_monitor;';
end
$$;

commit;
