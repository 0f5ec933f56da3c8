-- The version, the limits that connections and replication slots meet, and whether the schema is the one with pending lists.
-- reserved_connections is of 16 and later.
select split_part(current_setting('server_version'), ' ', 1) as version,
       current_setting('server_version_num')::integer as number,
       current_setting('max_connections')::bigint as max_connections,
       current_setting('superuser_reserved_connections')::bigint
           + coalesce(current_setting('reserved_connections', true), '0')::bigint as reserved,
       (select count(*) from pg_catalog.pg_replication_slots) as replication_slots,
       current_setting('max_replication_slots')::bigint as max_replication_slots,
       to_regprocedure('public.warrior_waiting(bigint, bigint)') is not null as has_lists
