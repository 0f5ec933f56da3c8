-- The database: how full its cache was hit, how old its transaction ids are, and whether its collation is the one that
-- its indexes were written with.
select d.datconnlimit as connection_limit,
       coalesce(s.blks_hit, 0) as hit,
       coalesce(s.blks_read, 0) as read,
       age(d.datfrozenxid)::bigint as age,
       d.datcollversion as collation_recorded,
       pg_catalog.pg_database_collation_actual_version(d.oid) as collation_actual
  from pg_catalog.pg_database as d
  left join pg_catalog.pg_stat_database as s on s.datid = d.oid
 where d.datname = current_database()
