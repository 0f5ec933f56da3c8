-- As insert.sql, and nothing in it but rows, for an engine that takes no more of a table that it distributes.
insert into public.warrior (id, name, dob, fight_skills)
values ($1, $2, $3::date, $4)
on conflict (id) do nothing
returning id
