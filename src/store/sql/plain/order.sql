-- The end of each tier: the contract's order, and at most $2 rows. An engine that distributes the table sorts and cuts on each
-- node.
 order by name collate "C", id
 limit $2::bigint
