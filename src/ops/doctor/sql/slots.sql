-- Replication slots that nobody uses and that keep more WAL files than max_wal_size. A standby that restarts comes back
-- before that; below it, PostgreSQL would keep as much for itself.
select slot_name::text as name,
       pg_size_pretty(pg_catalog.pg_wal_lsn_diff(
           case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()
                else pg_catalog.pg_current_wal_lsn() end, restart_lsn)) as kept
  from pg_catalog.pg_replication_slots
 where not active and restart_lsn is not null and wal_status in ('extended', 'unreserved')
 order by slot_name
