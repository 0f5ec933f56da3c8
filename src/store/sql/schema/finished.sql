-- The version record: all of the schema is there. Not written where it says so.
update public.warrior_schema set number = $1 where number is distinct from $1
