-- Mutual exclusion: releases the advisory lock of try_lock.sql.
select pg_advisory_unlock(33602666402246514)
