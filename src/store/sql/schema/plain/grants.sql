-- Least privilege on the plain schema: who may do what. As in ../grants.sql, which serves the tuned one.
do $$
declare
    runtime constant text := coalesce(nullif(current_setting('warrior_api.runtime', true), ''), 'warrior');
    command text;
begin
    for command in
        -- Default privileges may have given the secret to more roles than those that serve.
        select distinct case acl.grantee
                   when 0 then 'revoke all on public.warrior_secret from public'
                   else format('revoke all on public.warrior_secret from %I', pg_catalog.pg_get_userbyid(acl.grantee))
               end
          from pg_catalog.pg_class as c, pg_catalog.aclexplode(c.relacl) as acl
         where c.oid = 'public.warrior_secret'::regclass and acl.grantee <> c.relowner
           and (acl.grantee = 0 or not has_table_privilege(acl.grantee, 'public.warrior', 'insert'))
        union all
        select format('grant %s on %s to %I', privilege, object, pg_roles.rolname)
          from (values ('select', 'public.warrior', runtime), ('insert', 'public.warrior', runtime),
                       ('select', 'public.warrior_secret', runtime), ('select', 'public.warrior_plain', runtime),
                       ('select', 'public.warrior', 'warrior_monitor'),
                       ('select', 'public.warrior_plain', 'warrior_monitor')) as wanted (privilege, object, name)
          join pg_catalog.pg_roles on pg_roles.rolname = wanted.name
         where not has_table_privilege(pg_roles.oid, object, privilege)
    loop
        execute command;
    end loop;
end
$$;
