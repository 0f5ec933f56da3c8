-- $1 rows as JSON.
insert into bench.new_bodies (n, body)
select n, json_build_object('name', name, 'dob', dob, 'fight_skills', skills::text[])
  from source
 where n < $1::bigint
