-- Stores the rows of a chunk whose ids are not there. A file without times gives the time of its import.
insert into public.warrior (id, name, dob, fight_skills, created_at)
select id, name, dob, fight_skills, coalesce(created_at, now()) from pg_temp.warrior_import_chunk
    on conflict (id) do nothing
