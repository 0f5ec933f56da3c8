-- The statement that drops the indexes of the table besides its primary key; none where there is none.
select format('drop index %s', string_agg(i.indexrelid::regclass::text, ', '))
  from pg_catalog.pg_index as i
 where i.indrelid = 'public.warrior'::regclass and not i.indisprimary
having count(*) > 0
