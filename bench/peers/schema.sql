-- Section 2 of the guide, to be read by psql, which goes on after an error: PostgreSQL refuses the last index, since
-- array_to_string is not immutable.
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";

CREATE TABLE IF NOT EXISTS warrior (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    name VARCHAR(100) NOT NULL,
    dob DATE NOT NULL,
    fight_skills TEXT[] NOT NULL,
    created_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX IF NOT EXISTS idx_warrior_name ON warrior USING gin (to_tsvector('english', name));
CREATE INDEX IF NOT EXISTS idx_warrior_dob ON warrior (dob);
CREATE INDEX IF NOT EXISTS idx_warrior_fight_skills ON warrior USING gin (fight_skills);
CREATE INDEX IF NOT EXISTS idx_warrior_created_at ON warrior (created_at DESC);
CREATE INDEX IF NOT EXISTS idx_warrior_search ON warrior
    USING gin (to_tsvector('english', name || ' ' || array_to_string(fight_skills, ' ')));
