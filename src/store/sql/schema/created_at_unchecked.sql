-- Leftover of an attempt that was killed, or that met a row without created_at.
alter table public.warrior drop constraint if exists warrior_created_at_present;
