-- The length of the GIN pending lists (schema/functions/flush.sql). $1: bytes of them that searches of this server have
-- read since it last asked.
select waiting, read from public.warrior_pending($1::bigint)
