-- The rows of one chunk, seen by this session alone and written to no log.
create temporary table if not exists warrior_import_chunk (
    id uuid,
    name text,
    dob date,
    fight_skills text[],
    created_at timestamptz
) on commit delete rows
