-- The highest number of a version record, whichever of its columns are there; null where none is.
select max(part.value::integer) as highest
  from public.warrior_schema as record
 cross join pg_catalog.jsonb_each_text(pg_catalog.to_jsonb(record)) as part
 where part.key in ('number', 'functions_number') and part.value ~ '^[0-9]{1,9}$'
