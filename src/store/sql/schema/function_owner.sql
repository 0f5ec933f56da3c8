-- The owner of a function, null where it is gone, and the database, for the command that drops it; whether a trigger on the
-- table calls it.
select (select pg_catalog.pg_get_userbyid(proowner)::text
          from pg_catalog.pg_proc
         where oid = to_regprocedure($1)) as owner,
       exists (select from pg_catalog.pg_trigger
                where tgrelid = to_regclass('public.warrior') and tgfoid = to_regprocedure($1)) as has_trigger,
       current_database()::text as dbname
