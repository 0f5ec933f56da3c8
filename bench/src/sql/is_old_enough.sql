-- Whether PostgreSQL has run for $1 seconds.
select clock_timestamp() - pg_postmaster_start_time() > make_interval(secs => $1::float8)
