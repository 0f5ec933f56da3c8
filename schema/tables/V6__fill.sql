-- calls functions
--
-- Count and dictionaries of an adopted table, which is full. A transaction of its own, so that the triggers' lock on
-- writers is not held while the whole table is read.
select public.warrior_recount();
