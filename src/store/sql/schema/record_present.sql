-- Whether any apply has come as far as the functions, and whether the table has the columns that recorded.sql reads: a
-- build between two releases may have left it without some.
select count(*) > 0 as present,
       array_agg(attname::text) @> array['number', 'functions_number', 'digest', 'functions', 'fingerprints', 'superseded',
                                         'triggers', 'filled'] as readable,
       current_database()::text as dbname
  from pg_catalog.pg_attribute
 where attrelid = to_regclass('public.warrior_schema') and attnum > 0 and not attisdropped
