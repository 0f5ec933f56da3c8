-- Whether any apply has come as far as the functions.
select to_regclass('public.warrior_schema') is not null as present
