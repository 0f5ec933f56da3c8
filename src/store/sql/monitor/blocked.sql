-- Connections of this database that wait for a lock, and the longest of their waits; the start of one may come late.
select count(distinct a.pid) as blocked,
       coalesce(extract(epoch from max(clock_timestamp() - l.waitstart)), 0)::float8 as longest
  from pg_catalog.pg_locks as l
  join pg_catalog.pg_stat_activity as a on a.pid = l.pid
 where not l.granted and a.backend_type = 'client backend' and a.datname = pg_catalog.current_database()
   and a.pid <> pg_catalog.pg_backend_pid()
