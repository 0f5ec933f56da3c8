-- The database's own clock: what is made from now on is not older than this.
select extract(epoch from clock_timestamp())::float8
