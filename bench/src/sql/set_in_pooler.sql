-- The statement that changes a value on PgBouncer's console, which takes no parameters.
select format('set %I = %L', $1::text, $2::text)
