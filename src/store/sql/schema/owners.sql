-- Ownership: relations and functions of the API that the role of this session may not change, each with the command that
-- hands it over. signature: of a function, null of a relation. public.warrior counts once an apply has made it the API's;
-- before, its adoption asks.
select null as signature, format('alter table %s owner to %I;', c.oid::regclass, current_user) as command
  from pg_catalog.pg_class as c
 where c.oid in (to_regclass('public.warrior_count'), to_regclass('public.warrior_flushed'),
                 to_regclass('public.warrior_skill'), to_regclass('public.warrior_letter'),
                 to_regclass('public.warrior_secret'), to_regclass('public.warrior_schema'),
                 to_regclass('public.refinery_schema_history'), to_regclass('public.warrior_plain'),
                 case when coalesce(to_regclass('public.warrior_schema'), to_regclass('public.warrior_plain')) is not null
                      then to_regclass('public.warrior') end)
   and not pg_catalog.pg_has_role(c.relowner, 'usage')
union all
select signature, format('alter function %s owner to %I;', signature, current_user)
  from pg_catalog.pg_proc as p
 cross join format('public.%I(%s)', p.proname, pg_catalog.oidvectortypes(p.proargtypes)) as signature
 where p.pronamespace = 'public'::regnamespace and p.proname like 'warrior\_%' and p.prokind = 'f'
   and to_regclass('public.warrior_schema') is not null
   and not pg_catalog.pg_has_role(p.proowner, 'usage')
 order by 2 desc
