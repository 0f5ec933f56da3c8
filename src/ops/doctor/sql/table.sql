-- The table as vacuum and the planner know it. Nothing here waits for somebody who holds the table.
select c.reltuples::float8 as rows,
       coalesce(s.n_live_tup, 0) as live,
       coalesce(s.n_dead_tup, 0) as dead,
       coalesce(s.n_mod_since_analyze, 0) as changed,
       -- Who may not read the column is not shown its statistics.
       not has_column_privilege(c.oid, 'name', 'select')
           or exists (select
                        from pg_catalog.pg_stats
                       where schemaname = 'public' and tablename = 'warrior' and attname = 'name') as analyzed,
       coalesce('autovacuum_enabled=false' = any (c.reloptions), false) as autovacuum_off
  from pg_catalog.pg_class as c
  left join pg_catalog.pg_stat_all_tables as s on s.relid = c.oid
 where c.oid = to_regclass('public.warrior')
