-- Asked only when the table is there, see record_present.sql.
select number, digest, functions from public.warrior_schema
