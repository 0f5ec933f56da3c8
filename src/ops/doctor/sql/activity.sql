-- Open transactions of clients in this database, and what they wait for; no statement, which holds people's names. Times
-- are in seconds. blockers: who holds the lock that one waits for. prepared: two-phase transactions that hold it, which
-- have no process.
select a.pid,
       coalesce(a.usename::text, a.usesysid::text, '') as role,
       coalesce(a.application_name, '') as application,
       a.state in ('idle in transaction', 'idle in transaction (aborted)') as idle,
       extract(epoch from clock_timestamp() - a.xact_start)::float8 as open,
       extract(epoch from clock_timestamp() - a.state_change)::float8 as since,
       coalesce(extract(epoch from clock_timestamp() - (
           select min(waitstart) from pg_catalog.pg_locks as l where l.pid = a.pid and not l.granted)), 0)::float8 as waits,
       case when a.wait_event_type = 'Lock' then pg_catalog.pg_blocking_pids(a.pid) else '{}' end as blockers,
       case when a.wait_event_type = 'Lock' then array(
           select distinct x.gid
             from pg_catalog.pg_locks as wanted
             join pg_catalog.pg_locks as held
               on (held.locktype, held.database, held.relation, held.page, held.tuple, held.virtualxid,
                   held.transactionid, held.classid, held.objid, held.objsubid)
                  is not distinct from
                  (wanted.locktype, wanted.database, wanted.relation, wanted.page, wanted.tuple, wanted.virtualxid,
                   wanted.transactionid, wanted.classid, wanted.objid, wanted.objsubid)
             -- The lock on its own id leads from a transaction without a process to its name.
             join pg_catalog.pg_locks as own
               on own.pid is null and own.locktype = 'transactionid'
                  and own.virtualtransaction = held.virtualtransaction
             join pg_catalog.pg_prepared_xacts as x on x.transaction = own.transactionid
            where wanted.pid = a.pid and not wanted.granted and held.pid is null and held.granted
            order by x.gid) else '{}' end as prepared
  from pg_catalog.pg_stat_activity as a
 where a.datname = current_database() and a.pid <> pg_catalog.pg_backend_pid()
   and a.backend_type = 'client backend' and a.xact_start is not null
 order by a.xact_start
