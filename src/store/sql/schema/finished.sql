update public.warrior_schema set number = $1 where number is distinct from $1
