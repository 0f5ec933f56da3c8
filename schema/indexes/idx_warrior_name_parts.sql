-- Substrings of names, case folded. The most expensive index for writers, and the only one that finds a part of a name
-- without reading every name. Its pending list is flushed by functions/flush.sql.
--
-- Behind the name stands a word of two letters, which are numbers for the name's first two characters: three trigrams
-- more, by which the index finds a part in the names that begin with "A", or with "Ab" (buckets,
-- functions/search/names.sql). Two characters may share a number, so a search compares the name itself. The letters are
-- beyond ASCII, so that no ASCII term finds them.
--
-- Sizes and costs of all indexes: ../../bench/results/2026-11-schema/README.md#indexes.
create index concurrently if not exists idx_warrior_name_parts on public.warrior using gin ((lower(name) || ' ' || chr(19968 + ascii(name) % 20000) || chr(19968 + ascii(substr(name, 2)) % 20000)) gin_trgm_ops);
