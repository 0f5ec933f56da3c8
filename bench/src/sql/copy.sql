copy public.warrior (id, name, dob, fight_skills) from stdin
