-- Checkpoints and write-ahead log of the whole server, from 17 on.
select c.num_timed as timed, c.num_requested as requested, w.wal_bytes::float8 as wal_bytes
  from pg_catalog.pg_stat_checkpointer as c, pg_catalog.pg_stat_wal as w
