-- Preconditions of a schema command: the mark that only a direct connection carries, the encoding, and a lower() that
-- folds I as the contract does (a Turkish locale does not), and two letters beyond ASCII (C and POSIX do not). They stand in a table, so that chr() is not computed where the encoding has none of them.
select coalesce(current_setting('warrior_api.direct', true), '') = 'on' as direct,
       current_setting('server_encoding') as encoding,
       (select bool_and(lower(chr(capital)) = chr(small))
          from (values (73, 105), (201, 233), (1046, 1078)) as letter (capital, small)
         where capital < 128 or current_setting('server_encoding') = 'UTF8') as folds,
       (select datctype::text from pg_catalog.pg_database where datname = current_database()) as locale
