-- The rows that pgbench looks up, too; see references.sql.
select id from bench.pool
