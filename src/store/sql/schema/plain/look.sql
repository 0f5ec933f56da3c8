-- What the plain schema meets in a database: whether trigrams and Citus are there, and whether its catalog is PostgreSQL's.
select exists (select from pg_catalog.pg_extension where extname = 'pg_trgm') as has_trigrams,
       exists (select from pg_catalog.pg_available_extensions where name = 'pg_trgm') as offers_trigrams,
       exists (select from pg_catalog.pg_extension where extname = 'citus') as has_citus,
       version() like 'PostgreSQL %' as is_postgresql,
       current_database()::text as dbname
