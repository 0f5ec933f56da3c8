-- Whether any import has begun and not finished.
select to_regclass('public.warrior_import') is not null as present
