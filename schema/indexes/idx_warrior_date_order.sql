-- The rows of each date, in the order of every answer: a term that some dates hold is answered from the first rows of
-- each (functions/search/dates.sql). An index on the date alone is smaller, but then all rows of a year are read and
-- sorted, or a walk in name order looks into rows of other years: ../../bench/results/2026-11-schema/README.md#indexes.
create index concurrently if not exists idx_warrior_date_order on public.warrior (dob, name collate "C", id);
