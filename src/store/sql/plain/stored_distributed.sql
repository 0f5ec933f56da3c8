-- As stored.sql, and nothing in it but rows, for an engine that takes no more of a table that it distributes: whether something
-- of others is there is asked by ../served.sql, and standby.sql waits for the standby. So the server may be another one
-- between them.
select id, name, dob, fight_skills
  from public.warrior
 where id = any ($1::uuid[])
