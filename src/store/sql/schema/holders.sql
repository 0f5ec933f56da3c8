-- Who holds a lock on the table, for the sentence that says why a migration cannot go on.
select distinct l.pid, a.usename::text as role, a.state, now() - a.xact_start > interval '1 minute' as long
  from pg_catalog.pg_locks as l
  join pg_catalog.pg_stat_activity as a on a.pid = l.pid
 where l.relation = to_regclass('public.warrior') and l.granted and l.pid <> pg_backend_pid()
 order by l.pid
