select pid from pg_stat_activity where usename = 'warrior' limit 1
