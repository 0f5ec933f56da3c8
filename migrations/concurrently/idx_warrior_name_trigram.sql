create index concurrently if not exists idx_warrior_name_trigram on public.warrior using gin (lower(name) gin_trgm_ops);
