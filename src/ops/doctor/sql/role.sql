-- The role that serves requests ($1): what it may do beyond that, and which of the rights that it needs are missing. The
-- rights are those of src/store/sql/schema/grants.sql. open: whether every role may create in the schema public. first: whether
-- it is the role that the cluster was made with, which has the same oid everywhere and has to stay superuser:
-- PostgreSQL 15 takes that away, and then nobody may be left who has it; later ones refuse.
with role as (
    select oid, rolname, rolsuper, rolconnlimit,
           array_remove(array[case when rolsuper then 'superuser' end, case when rolcreaterole then 'createrole' end,
                              case when rolcreatedb then 'createdb' end, case when rolreplication then 'replication' end,
                              case when rolbypassrls then 'bypassrls' end], null) as powers
      from pg_catalog.pg_roles
     where rolname = $1
), wanted (object, privilege) as (
    values ('public.warrior', 'select'), ('public.warrior', 'insert'), ('public.warrior_count', 'select'),
           ('public.warrior_flushed', 'select'), ('public.warrior_skill', 'select'), ('public.warrior_letter', 'select'),
           ('public.warrior_schema', 'select'), ('public.warrior_secret', 'select'), ('public.warrior_plain', 'select')
), called (signature) as (
    values ('public.warrior_search(text)'), ('public.warrior_pending(bigint)'), ('public.warrior_flush(bigint, integer)'),
           ('public.warrior_drift(bigint)')
)
select role.powers,
       role.oid = 10 as first,
       case when role.rolsuper then -1 else role.rolconnlimit end as connection_limit,
       array(select privilege || ' on ' || object
               from wanted
              where to_regclass(object) is not null
                and not has_table_privilege(role.oid, to_regclass(object), privilege)
             union all
             select 'execute on function ' || signature
               from called
              where to_regprocedure(signature) is not null
                and not has_function_privilege(role.oid, to_regprocedure(signature), 'execute')
             union all
             select 'usage on schema public' where not has_schema_privilege(role.oid, 'public', 'usage')
             union all
             select 'connect on database ' || current_database()
              where not has_database_privilege(role.oid, current_database(), 'connect')) as missing,
       exists (select
                 from pg_catalog.pg_namespace, pg_catalog.aclexplode(nspacl) as acl
                where nspname = 'public' and acl.grantee = 0 and acl.privilege_type = 'CREATE') as open
  from role
