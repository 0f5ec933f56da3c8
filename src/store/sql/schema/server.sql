-- Whether this session is what it must be: the mark that only a direct connection carries, the
-- encoding, and a lower() that folds I as the contract does (a Turkish locale does not).
select coalesce(current_setting('warrior_api.direct', true), '') = 'on' as direct,
       current_setting('server_encoding') as encoding,
       lower('I') = 'i' as folds,
       (select datcollate::text from pg_catalog.pg_database where datname = current_database()) as locale
