-- Checkpoints and write-ahead log of the whole server, as 14 to 16 count them.
select b.checkpoints_timed as timed, b.checkpoints_req as requested, w.wal_bytes::float8 as wal_bytes
  from pg_catalog.pg_stat_bgwriter as b, pg_catalog.pg_stat_wal as w
