-- How far the import of a file has come.
select position, rows, stored, present, other, examples
  from public.warrior_import
 where source = $1
