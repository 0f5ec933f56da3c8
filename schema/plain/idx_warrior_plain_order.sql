-- The order of every answer (code points, then id): a frequent term is found after a few rows. Without pg_trgm every search
-- reads this one.
create index concurrently if not exists idx_warrior_plain_order on public.warrior (name collate "C", id);
