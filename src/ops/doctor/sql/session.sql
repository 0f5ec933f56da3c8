-- The settings in force where requests are served, and where each comes from: the role, the database, the server's
-- files, or a client before us on a pooled connection.
select name, setting, source
  from pg_catalog.pg_settings
 where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'synchronous_commit',
                'gin_fuzzy_search_limit', 'default_transaction_read_only')
