-- A flush of the GIN pending lists (schema/functions/flush.sql). Two statements in one message are one transaction. No
-- client waits for this one, so it may take longer than the role allows, though not so long that PgBouncer gives the
-- connection up (query_timeout): what is cut off has to be done again. Measured:
-- bench/results/2026-11-schema/README.md#flush.
set local statement_timeout = '4s';
select public.warrior_flush()
