-- Readiness: the version of the schema, to be compared with the one that this program needs, and whether anything can be
-- stored. A schema whose functions are not all there (a restore of the tables alone) has no version.
select max(number) filter (where not exists (
           select from unnest(functions || 'public.warrior_skill_keys(text[])'::text) as signature
            where to_regprocedure(signature) is null)) as version,
       pg_catalog.pg_is_in_recovery() as standby,
       current_setting('transaction_read_only') = 'on' as read_only
  from public.warrior_schema
