-- Catalog introspection: what others have put on the table, of which kind, and how PostgreSQL describes it.
--
-- Triggers: schema/functions/others.sql asks the same at every create, and a test compares the two
-- (tests/it/adoption.rs). A trigger that is disabled does nothing, but under a name of ours stands in the way of our own.
--
-- meets_copies: it may keep out the copy of a row that a flush adds and undoes (schema/functions/flush.sql). A check that
-- the row has passed lets its copy pass.
with runtime as (
    select oid, rolname, rolbypassrls, rolsuper
      from pg_catalog.pg_roles
     where rolname = coalesce(nullif(current_setting('warrior_api.runtime', true), ''), 'warrior')
), warrior as (
    select c.oid, c.relowner, c.relrowsecurity, c.relforcerowsecurity, i.attnum as id
      from pg_catalog.pg_class as c
      join pg_catalog.pg_attribute as i on i.attrelid = c.oid and i.attname = 'id'
     where c.oid = to_regclass('public.warrior')
), ours (name) as (
    values ('warrior_inserted'), ('warrior_updated'), ('warrior_deleted'), ('warrior_truncated')
)
select case
           when ours.name is not null then 'trigger under our name'
           when t.tgtype & 4 <> 0 and t.tgenabled = 'R' then 'trigger of inserts in replicas'
           when t.tgtype & 4 <> 0 then 'trigger of inserts'
           else 'trigger'
       end as kind,
       quote_ident(t.tgname) as name,
       pg_catalog.pg_get_triggerdef(t.oid, true) as definition,
       ours.name is null and t.tgenabled <> 'R' and t.tgtype & 6 = 6 as meets_copies -- BEFORE, INSERT
  from warrior
  join pg_catalog.pg_trigger as t on t.tgrelid = warrior.oid and not t.tgisinternal
  left join ours on ours.name = t.tgname
 where case when ours.name is null then t.tgenabled <> 'D'
            else t.tgfoid is distinct from to_regprocedure('public.' || ours.name || '()') end
union all
-- `insert ... on conflict` is refused beside a rule for INSERT (3) or UPDATE (2).
select case when r.ev_type in ('2', '3') then 'rule of inserts' else 'rule' end,
       quote_ident(r.rulename), pg_catalog.pg_get_ruledef(r.oid, true), false
  from warrior
  join pg_catalog.pg_rewrite as r on r.ev_class = warrior.oid
union all
select 'policy', quote_ident(p.polname),
       concat(case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
              ' using (', pg_catalog.pg_get_expr(p.polqual, p.polrelid), ') with check (',
              pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), ')'), false
  from warrior
  join pg_catalog.pg_policy as p on p.polrelid = warrior.oid
 where warrior.relrowsecurity
union all
-- The role of this session fills the count and the lists, and the owner does in the triggers.
select 'forced row-level security', role.rolname::text, '', false
  from warrior
  join pg_catalog.pg_roles as role on role.oid = warrior.relowner or role.rolname = current_user
 where warrior.relrowsecurity and warrior.relforcerowsecurity and not (role.rolbypassrls or role.rolsuper)
union all
-- Nobody's row is hidden from a superuser, nor from the owner as long as it is not forced.
select 'row-level security without a policy', command.name, quote_ident(runtime.rolname), false
  from warrior
  cross join runtime
  cross join (values ('r', 'select'), ('a', 'insert')) as command (code, name)
 where warrior.relrowsecurity and not (runtime.rolbypassrls or runtime.rolsuper)
   and (warrior.relforcerowsecurity or not pg_catalog.pg_has_role(runtime.oid, warrior.relowner, 'usage'))
   and not exists (select from pg_catalog.pg_policy as p
                    where p.polrelid = warrior.oid and p.polpermissive and p.polcmd in (command.code, '*')
                      and (0 = any (p.polroles)
                           or exists (select from unnest(p.polroles) as role
                                       where pg_catalog.pg_has_role(runtime.oid, role, 'usage'))))
union all
select 'constraint', con.conname::text, pg_catalog.pg_get_constraintdef(con.oid, true),
       con.contype in ('u', 'x') or not con.convalidated
  from warrior
  join pg_catalog.pg_constraint as con on con.conrelid = warrior.oid
 where con.contype in ('c', 'f', 'u', 'x') and con.conname not in ('warrior_created_at_present', 'warrior_dob_written', 'warrior_fight_skills_listed')
   and not (con.contype = 'u' and con.conkey = array[warrior.id])
union all
select 'constraint', x.indexrelid::regclass::text, pg_catalog.pg_get_indexdef(x.indexrelid), true
  from warrior
  join pg_catalog.pg_index as x on x.indrelid = warrior.oid
 where x.indisunique and x.indkey::text <> warrior.id::text
   and not exists (select from pg_catalog.pg_constraint where conindid = x.indexrelid)
union all
-- A ctid is unique within one table only, and searches keep rows apart by it.
select 'child table', pg_catalog.format('%s.%I', c.relnamespace::regnamespace, c.relname), '', false
  from warrior
  join pg_catalog.pg_inherits as i on i.inhparent = warrior.oid
  join pg_catalog.pg_class as c on c.oid = i.inhrelid
 order by 1, 2
