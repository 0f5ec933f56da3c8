-- Replication slots that nobody uses and that keep WAL files, and two-phase transactions that wait for their second phase
-- for over a minute.
select 'slot' as kind,
       slot_name::text as name,
       pg_size_pretty(pg_catalog.pg_wal_lsn_diff(
           case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()
                else pg_catalog.pg_current_wal_lsn() end, restart_lsn)) as seen
  from pg_catalog.pg_replication_slots
 where not active and restart_lsn is not null
union all
select 'prepared', gid, date_trunc('second', clock_timestamp() - prepared)::text
  from pg_catalog.pg_prepared_xacts
 where database = current_database() and prepared < clock_timestamp() - interval '1 minute'
 order by 1, 2
