-- Keeps $1 unless there is a secret.
insert into warrior_secret (idempotency) values ($1) on conflict do nothing
