-- The rows of each year, in the order of every answer; a month of it is one row in twelve (functions/search/dates.sql).
-- Numeric as extract() gives it: infinity is a year, too, which a cast to an integer refuses. `dob` is included, since
-- PostgreSQL reads no expression from an index alone whose column is not there.
create index concurrently if not exists idx_warrior_year_order on public.warrior (extract(year from dob), name collate "C", id) include (dob);
