-- Statement triggers: creates those of the API again, enabled always. The lock waits for every writer of the table.
select public.warrior_mend_triggers()
