-- A row of its own, in a transaction of its own.
insert into public.warrior (id, name, dob, fight_skills) values ($1, $2, $3, $4)
