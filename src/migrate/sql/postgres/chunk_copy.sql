copy pg_temp.warrior_import_chunk (id, name, dob, fight_skills, created_at) from stdin (format binary)
