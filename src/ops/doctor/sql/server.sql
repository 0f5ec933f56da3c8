-- The server's settings that everybody may see, its clock in seconds since 1970, and whether this role sees what other
-- roles do.
select extract(epoch from clock_timestamp())::float8 as clock,
       current_setting('server_version') as version,
       pg_catalog.pg_has_role('pg_read_all_stats', 'usage') as sees_all,
       current_setting('fsync') = 'on' as fsync,
       current_setting('full_page_writes') = 'on' as full_page_writes,
       current_setting('autovacuum') = 'on' and current_setting('track_counts') = 'on' as autovacuum,
       pg_size_pretty(pg_size_bytes(current_setting('shared_buffers'))) as shared_buffers,
       current_setting('max_connections')::integer as max_connections,
       current_setting('superuser_reserved_connections')::integer
           + coalesce(current_setting('reserved_connections', true), '0')::integer as reserved,
       (select count(*) from pg_catalog.pg_stat_activity where backend_type = 'client backend')::integer as connections
