-- Adds a batch of warriors, and answers the ids that were added. $1 ids, $2 names, $3 dates of birth as ISO 8601 text,
-- $4 skills, a list of each. The caller gives no id twice. The time is given, since the table may have no default for it.
insert into warrior (id, name, dob, fight_skills, created_at)
select unnest($1)::uuid, unnest($2), unnest($3)::date, unnest($4), now()
on conflict (id) do nothing
returning id
