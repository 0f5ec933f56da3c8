-- A flush of the GIN pending lists (schema/functions/flush.sql) by a loader, which may take its time. A list that another
-- session flushes now is left to it.
select public.warrior_flush(0, 16384)
