-- Ownership: relations and functions of the API that the role of this session may not change, each with the command that
-- hands it over. public.warrior counts once an apply has made it the API's; before, its adoption asks.
select format('alter table %s owner to %I;', c.oid::regclass, current_user) as command
  from pg_catalog.pg_class as c
 where c.oid in (to_regclass('public.warrior_count'), to_regclass('public.warrior_skill'),
                 to_regclass('public.warrior_date'), to_regclass('public.warrior_letter'),
                 to_regclass('public.warrior_secret'), to_regclass('public.warrior_schema'),
                 to_regclass('public.refinery_schema_history'),
                 case when to_regclass('public.warrior_schema') is not null then to_regclass('public.warrior') end)
   and not pg_catalog.pg_has_role(c.relowner, 'usage')
union all
select format('alter function public.%I(%s) owner to %I;', p.proname, pg_catalog.oidvectortypes(p.proargtypes),
              current_user)
  from pg_catalog.pg_proc as p
 where p.pronamespace = 'public'::regnamespace and p.proname = any ($1)
   and to_regclass('public.warrior_schema') is not null
   and not pg_catalog.pg_has_role(p.proowner, 'usage')
 order by 1 desc
