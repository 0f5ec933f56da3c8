-- The rows of each date, in the order of every answer. A term that some dates hold is answered from the first rows
-- of each, however many rows there are (V11). 95 MB for 1,000,000 rows; an index on the date alone has 7 MB, but
-- then all the rows of a year are read and sorted, or a walk in name order looks into rows of other years.
create index concurrently if not exists idx_warrior_date_order on public.warrior (dob, name collate "C", id);
