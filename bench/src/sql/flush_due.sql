-- A flush, if as much waits as makes the server flush (src/store/postgres/backlog.rs).
select public.warrior_flush(18874368, 16384)
