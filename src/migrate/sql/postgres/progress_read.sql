-- How far the import of a file has come, and whether the table can still hold what it did: each of its rows was there.
select position, rows, stored, present, other, examples,
       rows <= (select count(*) from public.warrior) as kept
  from public.warrior_import
 where source = $1
