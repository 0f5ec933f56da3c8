-- What the connections to this database that run a statement wait for, by class; none is a backend that computes.
select coalesce(wait_event_type, 'cpu') as class, count(*) as backends
  from pg_catalog.pg_stat_activity
 where backend_type = 'client backend' and state = 'active' and datname = pg_catalog.current_database()
   and pid <> pg_catalog.pg_backend_pid()
 group by 1
