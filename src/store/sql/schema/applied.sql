-- The version that the database has. Asked only when the table is there, see history.sql.
select max(version)::int as version from public.refinery_schema_history
