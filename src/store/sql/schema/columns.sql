-- The columns of the table as they are.
select a.attname::text as name,
       pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
       a.attnotnull as not_null,
       a.atthasdef as has_default,
       a.attcollation = t.typcollation as plain_collation
  from pg_catalog.pg_attribute as a
  join pg_catalog.pg_type as t on t.oid = a.atttypid
 where a.attrelid = to_regclass('public.warrior') and a.attnum > 0 and not a.attisdropped
 order by a.attnum
