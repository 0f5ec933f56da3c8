-- The version record: all of the schema is there. A second apply writes nothing.
update public.warrior_schema set number = $1 where number is distinct from $1
