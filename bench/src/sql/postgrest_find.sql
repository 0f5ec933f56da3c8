-- The source of what PostgREST runs for GET /warrior?id=eq.$1.
select id, name, dob, fight_skills, created_at from public.warrior where id = $1
