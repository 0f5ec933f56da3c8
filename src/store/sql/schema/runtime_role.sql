-- Names the role that serves requests to grants.sql and set_limits.sql, which take no parameters, and to others.sql;
-- says whether there is one.
select set_config('warrior_api.runtime', $1, false),
       exists (select from pg_catalog.pg_roles where rolname = $1) as present,
       current_database()::text as dbname
