-- The statement that takes a changed value back.
select format('alter system reset %I', $1::text)
