-- $2 lookups of $1 ids each, drawn from the pool in turn.
insert into bench.wanted (size, n, ids)
select $1::int, g / $1::int, array_agg(pool.id)
  from generate_series(0, $1::int * $2::int - 1) as g
  join bench.pool as pool on pool.k = g % (select count(*) from bench.pool)
 group by g / $1::int
