-- PgBouncer's console takes no parameters: the statement for it, with the number in it.
select format('set default_pool_size = %s', $1::int)
