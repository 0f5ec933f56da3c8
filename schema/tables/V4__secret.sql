-- The shared secret of Idempotency-Keys: all servers of a database derive ids with it, where none is configured.
--
-- An id comes from a client's Idempotency-Key by HMAC, so two servers with two secrets would store one warrior twice. A
-- server without IDEMPOTENCY_SECRET reads this one before its first create. PostgreSQL draws it from the system's
-- random numbers: no statement holds the secret, so no log does.
--
-- A dump of the database carries the secret. Old keys therefore stay valid after a restore; a reader of the dump can
-- say which id belongs to a key that is already known, and no more: the HMAC gives away neither key nor secret.
create table if not exists public.warrior_secret (
    one boolean primary key default true check (one),
    idempotency text not null
);

-- Four random UUIDs have 488 random bits, their hash 256.
insert into public.warrior_secret (idempotency)
select encode(sha256(convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8')), 'hex')
  from generate_series(1, 4)
    on conflict do nothing;
