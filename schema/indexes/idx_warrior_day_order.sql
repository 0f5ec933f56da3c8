-- The rows of each month and day of all years (1225 is Christmas), in the order of every answer
-- (functions/search/dates.sql). `dob`: as in idx_warrior_year_order.
create index concurrently if not exists idx_warrior_day_order on public.warrior ((extract(month from dob) * 100 + extract(day from dob)), name collate "C", id) include (dob);
