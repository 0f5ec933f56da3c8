-- A flush of the GIN pending lists (schema/functions/flush.sql). $1: fewest bytes that are worth one, $2: kB of a portion.
select public.warrior_flush($1::bigint, $2::integer)
