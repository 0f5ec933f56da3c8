-- What the table holds when every promise of run.ledger was kept.
CREATE TABLE warrior (
    id uuid PRIMARY KEY,
    name varchar(100) NOT NULL,
    dob date NOT NULL,
    fight_skills text[] NOT NULL,
    created_at timestamptz DEFAULT now()
);
INSERT INTO warrior (id, name, dob, fight_skills) VALUES
    ('00000000-0000-4000-8000-000000000000', 'Ana', '1990-01-01', '{Judo}'),
    ('00000000-0000-4000-8000-000000000001', 'Bo', '1991-01-01', '{Judo,Sumo}'),
    ('00000000-0000-4000-8000-000000000002', 'Cy', '1992-01-01', '{Sumo,Judo}')
