-- The owner of a function, and the database, for the command that drops it.
select (select pg_catalog.pg_get_userbyid(proowner)::text
          from pg_catalog.pg_proc
         where oid = to_regprocedure($1)) as owner,
       current_database()::text as dbname
