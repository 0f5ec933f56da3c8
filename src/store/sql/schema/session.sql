-- What a schema command needs of its session; it owns the connection, so the settings may stay. The
-- role or the database may have set others. The operator classes of pg_trgm may stand in a schema
-- of their own, as on some managed services.
select set_config('statement_timeout', '0', false),
       set_config('idle_in_transaction_session_timeout', '0', false),
       set_config('default_transaction_isolation', 'read committed', false),
       set_config('client_min_messages', 'warning', false),
       set_config('search_path',
                  concat_ws(', ', 'public',
                            (select quote_ident(nspname)
                               from pg_catalog.pg_extension
                               join pg_catalog.pg_namespace on pg_namespace.oid = extnamespace
                              where extname = 'pg_trgm' and nspname <> 'public'),
                            'pg_temp'),
                  false)
