-- What a schema command needs of its session; it owns the connection, so the settings may stay. The role or the database
-- may have set others. Only settings that this version of PostgreSQL has: transaction_timeout is one of 17.
select set_config(known.name, wanted.value, false)
  from (values
           ('statement_timeout', '0'),
           ('lock_timeout', '0'),
           ('transaction_timeout', '0'),
           ('idle_session_timeout', '0'),
           ('idle_in_transaction_session_timeout', '0'),
           ('default_transaction_isolation', 'read committed'),
           ('default_transaction_read_only', 'off'),
           ('client_min_messages', 'warning'),
           -- The backslashes of function bodies, and names as PostgreSQL describes indexes and functions.
           ('standard_conforming_strings', 'on'),
           ('quote_all_identifiers', 'off'),
           -- The operator classes of pg_trgm may stand in a schema of their own, as on some managed services.
           ('search_path', concat_ws(', ', 'public',
                                     (select quote_ident(nspname)
                                        from pg_catalog.pg_extension
                                        join pg_catalog.pg_namespace on pg_namespace.oid = extnamespace
                                       where extname = 'pg_trgm' and nspname <> 'public'),
                                     'pg_temp'))
       ) as wanted (name, value)
  join pg_catalog.pg_settings as known on known.name = wanted.name
