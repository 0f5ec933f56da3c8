-- Every row, as text that does not depend on any setting of the session. `recent` keeps rows of
-- earlier runs with the same seed apart from rows that this run stored twice.
select
    id::text,
    name::text,
    to_char(dob, 'YYYY-MM-DD'),
    fight_skills::text[],
    coalesce(created_at >= to_timestamp($1::float8), true) as recent
from warrior
