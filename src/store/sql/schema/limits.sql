-- The limits of postgres-conf/roles.sql that are not set for this role: not on it, not on the database,
-- not in the cluster's configuration. One that is set there was chosen, whatever it is.
select wanted.name, wanted.value
  from (values
           ('statement_timeout', '2s'),
           ('lock_timeout', '1s'),
           ('idle_in_transaction_session_timeout', '5s'),
           ('search_path', 'public, pg_temp'),
           ('DateStyle', 'ISO, YMD'),
           ('jit', 'off'),
           ('gin_pending_list_limit', '64MB')
       ) as wanted (name, value)
  join pg_catalog.pg_settings as now on lower(now.name) = lower(wanted.name)
 where not exists (
           select
             from pg_catalog.pg_db_role_setting as chosen,
                  unnest(chosen.setconfig) as line
            where chosen.setrole in (0, (select oid from pg_catalog.pg_roles where rolname = $1))
              and chosen.setdatabase in (0, (select oid from pg_catalog.pg_database
                                              where datname = current_database()))
              and lower(split_part(line, '=', 1)) = lower(wanted.name))
   -- initdb writes DateStyle by the locale, so what the configuration has of it is no choice.
   and (now.reset_val = now.boot_val or wanted.name = 'DateStyle'
        -- This session has its own role's settings, which are not those of the role that serves.
        or session_user <> $1 and exists (
               select
                 from pg_catalog.pg_db_role_setting as own,
                      unnest(own.setconfig) as line
                where own.setrole = (select oid from pg_catalog.pg_roles where rolname = session_user)
                  and own.setdatabase in (0, (select oid from pg_catalog.pg_database
                                               where datname = current_database()))
                  and lower(split_part(line, '=', 1)) = lower(wanted.name)))
