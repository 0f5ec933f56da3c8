-- The version record's mark of a fill.
update public.warrior_schema set filled = $1
