-- The version record's part of the functions, written in the transaction that creates them. $6: some of them were missing
-- (a restore of the tables alone), so that triggers, lists and indexes may be missing, too. Then the schema has no version,
-- and no server is ready, until the apply has finished.
insert into public.warrior_schema (functions_number, digest, functions, fingerprints, superseded)
values ($1, $2, $3, $4, $5)
    on conflict (one) do update
   set functions_number = excluded.functions_number, digest = excluded.digest, functions = excluded.functions,
       fingerprints = excluded.fingerprints, superseded = excluded.superseded,
       number = case when $6 then null else warrior_schema.number end
