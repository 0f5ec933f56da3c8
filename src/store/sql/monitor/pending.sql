-- Bytes in the pending lists of the search indexes (schema/functions/flush.sql), for a role that may only read the count.
select public.warrior_waiting(
           (select coalesce(sum(list_bytes), 0)::bigint from public.warrior_count),
           (select list_bytes from public.warrior_flushed)) as waiting
