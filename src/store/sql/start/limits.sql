-- How many connections the server, the database and the role give at most; -1 is no limit. The mark reaches
-- PostgreSQL on a direct connection alone (schema/session.rs).
select coalesce(current_setting('warrior_api.direct', true), '') = 'on' as direct,
       current_setting('max_connections')::int
         - case when rolsuper then 0
                else current_setting('superuser_reserved_connections')::int
                     + coalesce(current_setting('reserved_connections', true), '0')::int end as of_server,
       case when rolsuper then -1 else datconnlimit end as of_database,
       case when rolsuper then -1 else rolconnlimit end as of_role
  from pg_catalog.pg_roles, pg_catalog.pg_database
 where rolname = current_user and datname = current_database()
