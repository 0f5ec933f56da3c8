-- New rows are checked from here on; old ones are not read, so the lock is held for a moment.
alter table public.warrior
    add constraint warrior_created_at_present check (created_at is not null) not valid;
