-- locks writers
-- calls functions
--
-- The triggers, whose definitions stand once, in functions/triggers.sql. The lock waits for every writer that began
-- without triggers, so that V6__fill.sql reads all that those writers wrote.
select public.warrior_mend_triggers();
