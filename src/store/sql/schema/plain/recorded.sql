-- The version record of the plain schema, asked only where it is there.
select number from public.warrior_plain
