-- The rows behind ids that insert.sql did not add, to be compared with what should have been added.
-- A statement of its own: insert.sql does not see a row that was committed after it began.
select id, name, dob, fight_skills
  from public.warrior
 where id = any ($1::uuid[])
