-- Access privileges of functions, to be granted again after a drop. The owner's are left out.
select p.proname::text as name,
       case acl.grantee when 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(acl.grantee)) end
       || case when acl.is_grantable then ' with grant option' else '' end as grantee
  from pg_catalog.pg_proc as p
 cross join pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) as acl
 where p.pronamespace = 'public'::regnamespace and acl.grantee <> p.proowner
   and format('public.%I(%s)', p.proname, pg_catalog.oidvectortypes(p.proargtypes)) = any ($1)
 order by 1, 2
