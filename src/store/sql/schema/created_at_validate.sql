-- Reads the whole table under a lock that lets readers and writers go on.
alter table public.warrior validate constraint warrior_created_at_present;
