-- The exact number of warriors. Reads every row, or the smallest index of them.
select count(*) as count from public.warrior
