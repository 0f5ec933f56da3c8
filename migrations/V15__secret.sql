-- The secret that ids are derived with where none is configured: all servers of a database share it.
--
-- An id comes from its client's Idempotency-Key by HMAC, so two servers with two secrets store one warrior
-- twice. A server without IDEMPOTENCY_SECRET reads this one before it takes its first create. PostgreSQL
-- draws it, from the system's random numbers: no statement holds it, so no log does.
--
-- A dump of the database carries it. That keeps old keys valid after a restore; who has the dump can say
-- which id belongs to a key that it knows, and no more: the HMAC gives away neither key nor secret.
create table if not exists public.warrior_secret (
    one boolean primary key default true check (one),
    idempotency text not null
);

-- Whatever default privileges an administrator gave on new tables: the owner's alone, and the runtime
-- role's by grants.sql.
do $$
declare
    other record;
begin
    for other in
        select distinct acl.grantee
          from pg_catalog.pg_class, pg_catalog.aclexplode(relacl) as acl
         where pg_class.oid = 'public.warrior_secret'::regclass and acl.grantee <> relowner
    loop
        execute case other.grantee
            when 0 then 'revoke all on public.warrior_secret from public'
            else format('revoke all on public.warrior_secret from %I', pg_get_userbyid(other.grantee))
        end;
    end loop;
end
$$;

-- Four random UUIDs have 488 random bits, their hash 256.
insert into public.warrior_secret (idempotency)
select encode(sha256(convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8')), 'hex')
  from generate_series(1, 4)
    on conflict do nothing;
