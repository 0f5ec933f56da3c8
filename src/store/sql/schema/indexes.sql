-- Every index on the table that no constraint stands on. drop: without parameters, since `concurrently` allows neither
-- these nor a function around it.
select c.relname::text as name,
       i.indisvalid as valid,
       i.indpred is not null as partial,
       pg_catalog.pg_get_indexdef(i.indexrelid) as definition,
       format('drop index concurrently public.%I', c.relname) as drop
  from pg_catalog.pg_index as i
  join pg_catalog.pg_class as c on c.oid = i.indexrelid
 where i.indrelid = to_regclass('public.warrior')
   and not exists (select from pg_catalog.pg_constraint where conindid = i.indexrelid)
 order by c.relname
