-- Bytes that wait in the pending lists, as public.warrior_pending counts them, which a session that is read only may not
-- ask.
select public.warrior_waiting((select coalesce(sum(list_bytes), 0)::bigint from public.warrior_count),
                              coalesce((select list_bytes from public.warrior_flushed), 0)) as waiting
