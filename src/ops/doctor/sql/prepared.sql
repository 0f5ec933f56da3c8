-- Two-phase transactions of this database that wait for their second phase. age: seconds since the first.
select gid,
       owner::text as role,
       extract(epoch from clock_timestamp() - prepared)::float8 as age
  from pg_catalog.pg_prepared_xacts
 where database = current_database()
 order by gid
