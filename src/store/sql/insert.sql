-- Adds a batch of warriors. $1 ids, $2 names, $3 dates of birth as ISO 8601 text, $4 skills, each as
-- the text of an array literal, since unnest would flatten ragged arrays. The caller sorts by id, so
-- that two batches that share ids wait for each other in the same order.
-- Answers the ids that were added, each with whether triggers of others may have changed what is stored
-- (schema/functions/others.sql). An id that is missing was there before, or such a trigger dropped its row: see
-- stored.sql.
insert into public.warrior (id, name, dob, fight_skills)
select id, name, dob::date, fight_skills::text[]
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as new (id, name, dob, fight_skills)
on conflict (id) do nothing
returning id, (select public.warrior_has_other_triggers())
