-- The secret that ids are derived with where none is configured (schema/tables/V4__secret.sql).
select idempotency from public.warrior_secret
