-- The valid check proves it, so the table is not read again and the lock is held for a moment.
alter table public.warrior alter column created_at set not null;
alter table public.warrior drop constraint warrior_created_at_present;
