-- Warriors by id, in no order; an unknown id has no row. Columns as they are stored: see values.rs.
select id, name, dob, fight_skills, created_at
  from public.warrior
 where id = any ($1::uuid[])
