-- Warriors from one id to another, both included, in the order of their ids.
select id, name::text, dob, fight_skills::text[], created_at
  from public.warrior
 where id between $1 and $2
 order by id
