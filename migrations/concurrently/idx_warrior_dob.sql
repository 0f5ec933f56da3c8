create index concurrently if not exists idx_warrior_dob on public.warrior (dob);
