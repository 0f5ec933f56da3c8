-- What the plain schema meets in a database: whether trigrams and Citus are there, and whether something of others, a trigger
-- or row-level security, may change what a create stores (as ../../served.sql asks).
select exists (select from pg_catalog.pg_extension where extname = 'pg_trgm') as has_trigrams,
       exists (select from pg_catalog.pg_available_extensions where name = 'pg_trgm') as offers_trigrams,
       exists (select from pg_catalog.pg_extension where extname = 'citus') as has_citus,
       exists (select
                 from pg_catalog.pg_trigger
                where tgrelid = to_regclass('public.warrior') and not tgisinternal
                  and tgtype & 4 <> 0 and tgenabled <> 'D')
           or exists (select
                        from pg_catalog.pg_class
                       where oid = to_regclass('public.warrior') and relrowsecurity) as others,
       current_database()::text as dbname
