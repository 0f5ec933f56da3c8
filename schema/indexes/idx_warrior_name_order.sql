-- The order of every answer (code points, then id): a frequent term is found after a few rows, and a term without an
-- index is looked for in the index alone, which is smaller than the table; `dob` is included for terms of dates. C,
-- whatever the database's locale is.
create index concurrently if not exists idx_warrior_name_order on public.warrior (name collate "C", id) include (dob);
