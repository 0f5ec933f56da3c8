-- Privilege escalation: functions that run with the owner's rights, and the secret, open to every role. What an older
-- program left under another owner is not ours to close.
select format('public.%I(%s)', p.proname, pg_catalog.oidvectortypes(p.proargtypes)) as name
  from pg_catalog.pg_proc as p
 cross join pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) as acl
 where p.pronamespace = 'public'::regnamespace and p.prosecdef and acl.grantee = 0
   and pg_catalog.pg_has_role(p.proowner, 'usage')
   and format('public.%I(%s)', p.proname, pg_catalog.oidvectortypes(p.proargtypes)) = any ($1)
union all
select 'public.warrior_secret'
  from pg_catalog.pg_class as c, pg_catalog.aclexplode(c.relacl) as acl
 where c.oid = to_regclass('public.warrior_secret') and acl.grantee = 0
 order by 1
