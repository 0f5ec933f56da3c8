-- The version record, asked only when its table is there (record_present.sql).
select number, functions_number, digest, functions, fingerprints, superseded, triggers, filled
  from public.warrior_schema
