-- $2 batches of $1 names and dates.
insert into bench.new_names (size, n, names, dobs)
select $1::bigint, n / $1::bigint, array_agg(name order by n), array_agg(dob order by n)
  from source
 where n < $1::bigint * $2::bigint
 group by n / $1::bigint
