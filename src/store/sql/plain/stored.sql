-- The rows behind ids of which insert.sql does not prove what they hold, to be compared with what should have been added.
-- A statement of its own: insert.sql does not see a row that was committed after it began.
select id, name, dob, fight_skills
  from public.warrior
 where id = any ($1::uuid[])
