-- The version record of the plain schema: its apply has finished.
update public.warrior_plain set number = $1
