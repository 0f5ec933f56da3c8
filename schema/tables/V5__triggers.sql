-- locks writers
-- calls functions
--
-- The triggers, whose definitions stand once, in functions/triggers.sql. The lock waits for every writer that began
-- without them, so that what V6 fills in from the table is all that those writers wrote.
select public.warrior_mend_triggers();
