-- Whether the table has no row that this session can see.
select not exists (select from public.warrior) as empty
