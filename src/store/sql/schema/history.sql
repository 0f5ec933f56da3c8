-- Whether any migration was ever run.
select to_regclass('public.refinery_schema_history') is not null as present
