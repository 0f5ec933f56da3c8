-- Sharding by Citus: each row belongs to the worker that the hash of its id names. The other two tables stay on the
-- coordinator, where each has one row.
select create_distributed_table('public.warrior', 'id');
