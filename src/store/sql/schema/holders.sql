-- Who holds a lock on the table, for the sentence that says why a migration cannot go on. role: null of an autovacuum,
-- which has none; what else would tell it is hidden from ordinary roles.
select distinct l.pid,
       case when a.usesysid is not null then coalesce(a.usename::text, a.usesysid::text) end as role,
       a.state
  from pg_catalog.pg_locks as l
  join pg_catalog.pg_stat_activity as a on a.pid = l.pid
 where l.relation = to_regclass('public.warrior') and l.granted and l.pid <> pg_backend_pid()
 order by l.pid
