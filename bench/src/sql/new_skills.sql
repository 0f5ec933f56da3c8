-- The skills that belong to them; see new_names.sql.
insert into bench.new_skills (size, n, skills)
select $1::bigint, n / $1::bigint, array_agg(skills order by n)
  from source
 where n < $1::bigint * $2::bigint
 group by n / $1::bigint
