-- The progress of all imports: the one that ran has finished, or begins anew.
drop table if exists public.warrior_import
