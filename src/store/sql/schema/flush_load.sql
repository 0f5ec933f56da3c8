-- A flush of the GIN pending lists (schema/functions/flush.sql) by a loader, which may take its time.
select public.warrior_flush()
