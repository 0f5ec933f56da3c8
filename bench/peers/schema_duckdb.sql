-- "The schema is nearly identical to DuckDB" (section 2). No index but the key's: the guide names none.
CREATE TABLE warrior (
    id UUID PRIMARY KEY DEFAULT uuid(),
    name VARCHAR(100) NOT NULL,
    dob DATE NOT NULL,
    fight_skills VARCHAR[] NOT NULL,
    created_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP
);
