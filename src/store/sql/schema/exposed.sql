-- Privilege escalation: functions that run with the owner's rights, and the secret, open to every role.
select format('public.%I(%s)', p.proname, pg_catalog.oidvectortypes(p.proargtypes)) as name
  from pg_catalog.pg_proc as p
 cross join pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) as acl
 where p.pronamespace = 'public'::regnamespace and p.prosecdef and acl.grantee = 0
   and format('public.%I(%s)', p.proname, pg_catalog.oidvectortypes(p.proargtypes)) = any ($1)
union all
select 'public.warrior_secret'
  from pg_catalog.pg_class as c, pg_catalog.aclexplode(c.relacl) as acl
 where c.oid = to_regclass('public.warrior_secret') and acl.grantee = 0
 order by 1
