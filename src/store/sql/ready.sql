-- The version of the schema, to be compared with the one this program was built for.
select max(version)::int as version from public.refinery_schema_history
