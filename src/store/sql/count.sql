-- The exact number of warriors: the sum over the slots that the triggers keep.
select coalesce(sum(n), 0)::bigint as count from public.warrior_count
