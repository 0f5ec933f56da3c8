-- A session that only looks, on a direct connection: it writes nothing and waits for nobody. Only settings that this
-- version of PostgreSQL has.
select set_config(known.name, wanted.value, false)
  from (values
           ('default_transaction_read_only', 'on'),
           ('statement_timeout', '8s'),
           ('lock_timeout', '500ms'),
           ('jit', 'off')
       ) as wanted (name, value)
  join pg_catalog.pg_settings as known on known.name = wanted.name
