-- How long a session waits for a lock before PostgreSQL cancels an autovacuum that holds it.
select setting::bigint as milliseconds from pg_catalog.pg_settings where name = 'deadlock_timeout'
