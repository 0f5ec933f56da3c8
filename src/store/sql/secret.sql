-- The secret that ids are derived with where none is configured (migrations/V15__secret.sql).
select idempotency from public.warrior_secret
