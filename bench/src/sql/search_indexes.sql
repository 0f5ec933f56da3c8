-- The indexes of the table besides its primary key, ready to be dropped.
select i.indexrelid::regclass::text
  from pg_catalog.pg_index as i
 where i.indrelid = 'public.warrior'::regclass and not i.indisprimary
