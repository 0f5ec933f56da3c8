-- The statement that changes a value.
select format('alter system set %I = %L', $1::text, $2::text)
