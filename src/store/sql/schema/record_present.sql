-- Whether any apply has come as far as the functions, and whether the table has the columns that recorded.sql reads: a
-- build between two releases may have left it without some, and a newer program may have given some up. strange: columns
-- that no program of ours up to this one has made.
with ours (names) as (
    values (array['one', 'number', 'functions_number', 'digest', 'functions', 'fingerprints', 'superseded', 'triggers', 'filled'])
)
select count(attname) > 0 as present,
       array_agg(attname::text) @> ours.names as readable,
       array_remove(array_agg(case when attname::text <> all (ours.names) then attname::text end), null) as strange,
       current_database()::text as dbname
  from ours
  left join pg_catalog.pg_attribute
    on attrelid = to_regclass('public.warrior_schema') and attnum > 0 and not attisdropped
 group by ours.names
