-- Transactions under way in this database, by virtual transaction id, as `create index concurrently` waits for them.
-- pg_locks shows all of them to every role; pg_stat_activity hides when those of other roles began.
select coalesce(array_agg(l.virtualxid), '{}') as running
  from pg_catalog.pg_locks as l
  join pg_catalog.pg_stat_activity as a on a.pid = l.pid
 where l.locktype = 'virtualxid' and l.mode = 'ExclusiveLock' and l.granted and l.pid <> pg_backend_pid()
   and a.datname = current_database() and a.usesysid is not null
