-- Whether Citus has distributed the table; asked only where Citus is there.
select exists (select from pg_catalog.pg_dist_partition where logicalrelid = 'public.warrior'::regclass) as distributed
