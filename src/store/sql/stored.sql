-- The rows behind ids that insert.sql did not add, to be compared with what should have been added.
-- A statement of its own: insert.sql does not see a row that was committed after it began.
-- Where commits wait for a standby, a row that is seen may be on this server alone: the wait of the transaction
-- that added it was cancelled. So this one writes to the log, and its own commit waits: the standby that has it
-- has all before it. Without standbys to wait for it writes nothing.
select id, name, dob, fight_skills
  from public.warrior
 where id = any ($1::uuid[])
   and (select case when current_setting('synchronous_standby_names') = '' then true
                    else pg_logical_emit_message(true, 'warrior-api', '') is not null end)
