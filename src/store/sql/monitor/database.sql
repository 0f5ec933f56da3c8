-- This database since its statistics were reset. The blocks of tables are those of pg_statio_user_tables, without indexes.
select d.blks_hit as blocks_hit, d.blks_read as blocks_read, d.temp_bytes as temporary_bytes, d.deadlocks,
       d.xact_commit as commits, d.xact_rollback as rollbacks,
       pg_catalog.pg_database_size(d.datid) as database_bytes,
       tables.hit as table_blocks_hit, tables.read as table_blocks_read, warrior.live as live_rows, warrior.dead as dead_rows
  from pg_catalog.pg_stat_database as d
 cross join (
    select coalesce(sum(heap_blks_hit), 0)::bigint as hit, coalesce(sum(heap_blks_read), 0)::bigint as read
      from pg_catalog.pg_statio_user_tables) as tables
 cross join (
    select coalesce(sum(n_live_tup), 0)::bigint as live, coalesce(sum(n_dead_tup), 0)::bigint as dead
      from pg_catalog.pg_stat_user_tables
     where schemaname = 'public' and relname = 'warrior') as warrior
 where d.datname = pg_catalog.current_database()
