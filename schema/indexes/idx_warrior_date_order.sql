-- The rows of each date, in the order of every answer (functions/search/dates.sql). An index on the date alone is smaller,
-- but all rows of a date would be read and sorted: ../../bench/results/2026-11-schema/README.md#indexes.
create index concurrently if not exists idx_warrior_date_order on public.warrior (dob, name collate "C", id);
