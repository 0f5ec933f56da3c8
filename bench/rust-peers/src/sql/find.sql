-- The warrior $1.
select id, name, dob, fight_skills, created_at from public.warrior where id = $1
