-- Whether any apply of the plain schema has made its tables.
select to_regclass('public.warrior_plain') is not null as present
