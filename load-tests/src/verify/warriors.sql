-- Every row, as JSON, which depends on no setting of the session. `recent` keeps rows of
-- earlier runs with the same seed apart from rows that this run stored twice.
select
    id::text,
    to_json(warrior)::text,
    coalesce(created_at >= to_timestamp($1::float8), true) as recent
from warrior
