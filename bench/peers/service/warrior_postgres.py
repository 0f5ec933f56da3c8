"""The statements of section 4."""

import psycopg2.extras

INSERT = "INSERT INTO warrior (id, name, dob, fight_skills) VALUES (%s, %s, %s, %s)"
FIND = "SELECT id::TEXT, name, dob::TEXT, fight_skills, created_at FROM warrior WHERE id = %s::UUID"
SEARCH = """
SELECT id::TEXT, name, dob::TEXT, fight_skills
FROM warrior
WHERE name ILIKE %s
   OR dob::TEXT ILIKE %s
   OR %s = ANY(fight_skills)
   OR EXISTS (SELECT 1 FROM unnest(fight_skills) AS skill WHERE skill ILIKE %s)
ORDER BY CASE WHEN name ILIKE %s THEN 1 WHEN dob::TEXT ILIKE %s THEN 2 ELSE 3 END, name
LIMIT %s
"""
COUNT = "SELECT COUNT(*) FROM warrior"


def create_warrior(connection, *, id, name, dob, fight_skills):
    with connection.cursor() as cursor:
        cursor.execute(INSERT, (id, name, dob, fight_skills))


def get_warrior(connection, *, id):
    with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
        cursor.execute(FIND, (id,))
        return cursor.fetchone()


def search_warriors(connection, *, term, limit=50):
    like = f"%{term}%"
    with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
        cursor.execute(SEARCH, (like, like, term, like, like, like, limit))
        return cursor.fetchall()


def count_warriors(connection):
    with connection.cursor() as cursor:
        cursor.execute(COUNT)
        return cursor.fetchone()[0]
