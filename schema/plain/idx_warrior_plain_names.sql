-- Substrings of names, case folded. No pending list (fastupdate), since no flusher serves this schema: a list would be read by
-- every search, and emptied by a create in its own statement.
create index concurrently if not exists idx_warrior_plain_names on public.warrior
 using gin (lower(name) gin_trgm_ops) with (fastupdate = off);
