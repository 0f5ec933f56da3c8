-- The table as it is, if it is there.
select c.relkind::text as kind,
       pg_catalog.pg_get_userbyid(c.relowner)::text as owner,
       pg_catalog.pg_has_role(c.relowner, 'usage') as owned,
       exists (select
                 from pg_catalog.pg_index as i
                where i.indrelid = c.oid and i.indisunique and i.indimmediate and i.indisvalid
                  and i.indpred is null and i.indexprs is null and i.indnkeyatts = 1
                  and i.indkey[0] = (select attnum from pg_catalog.pg_attribute
                                      where attrelid = c.oid and attname = 'id')) as id_unique
  from pg_catalog.pg_class as c
 where c.oid = to_regclass('public.warrior')
