-- A flush that is cut off keeps what it has done.
--
-- A flush reads the pending list until work_mem is full, moves that much into the index, takes it off the list, and
-- goes on. With 64 MB (V10) one portion was all that a list may hold, 32 MB; a flush that ran into its
-- statement_timeout, on a machine whose processors were taken by others, had done nothing, and the next one had more
-- to do. A list of the length at which the server flushes (src/store/backlog.rs) still is one portion.

alter function public.warrior_flush() set work_mem = '16MB';
