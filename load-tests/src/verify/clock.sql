-- The database's own clock: what is made from now on is not older than this.
SELECT extract(epoch FROM clock_timestamp())::float8
