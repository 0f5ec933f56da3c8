-- Moves what waits in the pending lists of the search indexes into the indexes; see schema/functions/flush.sql.
-- Two statements in one message are one transaction. Nobody waits for this one, so it may take longer than
-- the role allows, though not so long that PgBouncer gives the connection up (query_timeout): while searches
-- take the processors, 8,000 rows have taken 1.7 s, and what is cut off has to be done again.
set local statement_timeout = '4s';
select public.warrior_flush()
