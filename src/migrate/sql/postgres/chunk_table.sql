-- The rows of one chunk, seen by this session alone and written to no log; rows.sql says what a row is.
create temporary table if not exists warrior_import_chunk on commit delete rows as
