-- Takes the lock of the schema commands, or names who holds it. Asked again and again rather than
-- waited for: a session that waits in pg_advisory_lock keeps a snapshot, and `create index
-- concurrently`, run by the holder of this lock, waits until that snapshot is gone.
select pg_try_advisory_lock(33602666402246514) as locked,
       (select string_agg(pid::text, ', ')
          from pg_catalog.pg_locks
         where locktype = 'advisory' and granted and pid <> pg_backend_pid()
           and database = (select oid from pg_catalog.pg_database where datname = current_database())
           and classid = (33602666402246514 >> 32)::oid
           and objid = (33602666402246514 & 4294967295)::oid
           and objsubid = 1) as holder
