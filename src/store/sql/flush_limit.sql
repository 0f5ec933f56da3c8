-- The time of a flush. No client waits for it, so it may take longer than the role allows, though not so long that
-- PgBouncer gives the connection up (query_timeout).
set local statement_timeout = '4s'
