-- The import of a file has finished.
delete from public.warrior_import where source = $1
