-- Catalog look: whether all statement triggers of warrior are there, fire always, and call our functions. Needs no lock of
-- the table.
select count(*) = 4 as in_order
  from pg_catalog.pg_trigger
 where tgrelid = 'public.warrior'::pg_catalog.regclass
   and tgname in ('warrior_deleted', 'warrior_inserted', 'warrior_truncated', 'warrior_updated')
   and tgenabled = 'A'
   and tgfoid = pg_catalog.to_regprocedure('public.' || tgname || '()')
