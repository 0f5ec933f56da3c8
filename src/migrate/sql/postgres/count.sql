-- Counted, not taken from the count that triggers keep: a check believes the table alone. The second is the number
-- above an id.
select count(*) as rows, count(*) filter (where id > $1) as above
  from public.warrior
