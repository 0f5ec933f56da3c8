-- The rows behind ids of which insert.sql does not prove what they hold, as ../stored.sql, with what insert.sql says of
-- triggers and row-level security. One statement for all of it: a pooler may hand the next one to another server, on whose
-- standby the row is not that was seen on this one.
       , o.others
  from (select relrowsecurity
               or exists (select
                            from pg_catalog.pg_trigger
                           where tgrelid = 'public.warrior'::pg_catalog.regclass and not tgisinternal
                             and tgtype & 4 <> 0 -- INSERT
                             and tgenabled <> 'D') as others
          from pg_catalog.pg_class
         where oid = 'public.warrior'::pg_catalog.regclass) as o
