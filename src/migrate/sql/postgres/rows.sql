-- Warriors from one id to another, both included, as they stand: nothing is sorted.
select id, name::text, dob, fight_skills::text[], created_at
  from public.warrior
 where id between $1 and $2
