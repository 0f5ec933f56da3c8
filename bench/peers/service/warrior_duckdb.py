"""The statements of section 4 in DuckDB's dialect: "minimal SQL changes", says the guide."""

INSERT = "INSERT INTO warrior (id, name, dob, fight_skills) VALUES (CAST(? AS UUID), ?, CAST(? AS DATE), ?)"
FIND = """
SELECT CAST(id AS TEXT), name, strftime(dob, '%Y-%m-%d'), fight_skills, created_at::TEXT
FROM warrior WHERE id = CAST(? AS UUID)
"""
SEARCH = """
SELECT CAST(id AS TEXT), name, strftime(dob, '%Y-%m-%d'), fight_skills
FROM warrior
WHERE name ILIKE $like
   OR CAST(dob AS TEXT) ILIKE $like
   OR list_contains(fight_skills, $term)
   OR EXISTS (SELECT 1 FROM (SELECT unnest(fight_skills) AS skill) WHERE skill ILIKE $like)
ORDER BY CASE WHEN name ILIKE $like THEN 1 WHEN CAST(dob AS TEXT) ILIKE $like THEN 2 ELSE 3 END, name
LIMIT $limit
"""
COUNT = "SELECT COUNT(*) FROM warrior"
COLUMNS = ("id", "name", "dob", "fight_skills", "created_at")


def create_warrior(connection, *, id, name, dob, fight_skills):
    connection.execute(INSERT, [id, name, dob, fight_skills])


def get_warrior(connection, *, id):
    row = connection.execute(FIND, [id]).fetchone()
    return dict(zip(COLUMNS, row)) if row else None


def search_warriors(connection, *, term, limit=50):
    rows = connection.execute(SEARCH, {"like": f"%{term}%", "term": term, "limit": limit}).fetchall()
    return [dict(zip(COLUMNS, row)) for row in rows]


def count_warriors(connection):
    return connection.execute(COUNT).fetchone()[0]
