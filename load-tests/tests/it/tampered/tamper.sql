-- One row gone, one date moved, one order of skills turned, one refused and one rejected create stored.
DELETE FROM warrior WHERE name = 'Ana';
UPDATE warrior SET dob = dob + 1 WHERE name = 'Bo';
UPDATE warrior SET fight_skills = '{Judo,Sumo}' WHERE name = 'Cy';
INSERT INTO warrior (id, name, dob, fight_skills) VALUES
    (gen_random_uuid(), 'Di', '1993-01-01', '{Sambo}'),
    (gen_random_uuid(), 'Ed', '1994-01-01', '{Sambo}')
