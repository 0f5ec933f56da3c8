-- The version record's part of the functions, written in the transaction that creates them.
insert into public.warrior_schema (functions_number, digest, functions, fingerprints, superseded)
values ($1, $2, $3, $4, $5)
    on conflict (one) do update
   set functions_number = excluded.functions_number, digest = excluded.digest, functions = excluded.functions,
       fingerprints = excluded.fingerprints, superseded = excluded.superseded
