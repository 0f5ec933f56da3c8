-- Whether the database keeps a secret of Idempotency-Keys; not the secret.
select exists (select from public.warrior_secret) as present
