create index concurrently if not exists idx_warrior_name_order on public.warrior (name collate "C", id);
