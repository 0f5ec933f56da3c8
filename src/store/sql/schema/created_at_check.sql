-- New rows are checked from here on; old ones are not read, so the lock is held for a moment. An attempt
-- that was killed may have left the same constraint behind.
alter table public.warrior
    drop constraint if exists warrior_created_at_present,
    add constraint warrior_created_at_present check (created_at is not null) not valid;
