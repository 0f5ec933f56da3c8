-- Schema detection (src/store/postgres/served.rs): which schema the database has. Of the plain one, whether something of
-- others, a trigger or row-level security, may change what a create stores, and whether commits wait for a standby; and
-- whether an insert takes no subquery in its RETURNING, by which it would tell of others itself: on Citus, and perhaps on what
-- is not PostgreSQL. No name of a table is resolved that need not be there, so nothing fails.
select to_regclass('public.warrior_schema') is not null as tuned,
       to_regclass('public.warrior_plain') is not null as plain,
       exists (select
                 from pg_catalog.pg_trigger
                where tgrelid = to_regclass('public.warrior') and not tgisinternal
                  and tgtype & 4 <> 0 -- INSERT
                  and tgenabled <> 'D')
           or exists (select
                        from pg_catalog.pg_class
                       where oid = to_regclass('public.warrior') and relrowsecurity) as others,
       coalesce(current_setting('synchronous_standby_names', true), '') <> '' as standbys,
       to_regclass('pg_catalog.pg_dist_partition') is not null or version() not like 'PostgreSQL %' as distributed
