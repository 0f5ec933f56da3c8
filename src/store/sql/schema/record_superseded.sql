-- The version record's list of functions that still wait to be dropped.
update public.warrior_schema set superseded = $1
