-- The rows behind ids of which insert.sql does not prove what they hold, to be compared with what should have
-- been added; and whether something of others, a trigger (schema/functions/others.sql) or row-level security, may be
-- why a row is missing or differs. That is answered without a row, too: all other columns are null then.
-- A statement of its own: insert.sql does not see a row that was committed after it began.
-- Where commits wait for a standby, a row that is seen may be on this server alone: the wait of the transaction
-- that added it was cancelled. So this one writes to the log, and its own commit waits: the standby that has it
-- has all before it; whatever another client has set, see schema/functions/triggers.sql. Without standbys to wait for it
-- writes nothing.
       , o.others
  from (select relrowsecurity or public.warrior_has_other_triggers() as others
          from pg_catalog.pg_class
         where oid = 'public.warrior'::pg_catalog.regclass) as o
