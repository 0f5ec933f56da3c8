-- What decides whether statements are named (src/store/postgres/named.rs): the backend that answers, its named
-- statements, and whether the table has been seen by vacuum or analyze with 1 MiB or more. A plan that is made for a
-- smaller one reads all of it, and is kept while it grows. No lock on the table is waited for.
select pg_catalog.pg_backend_pid() as backend,
       (select count(*) from pg_catalog.pg_prepared_statements) as named,
       exists (select
                 from pg_catalog.pg_class
                where oid = pg_catalog.to_regclass('public.warrior')
                  and relpages >= 128) as large
