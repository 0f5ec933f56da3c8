-- Makes the triggers of ours anew, so that they are there and fire always. Waits for every writer of the table.
select public.warrior_mend_triggers()
