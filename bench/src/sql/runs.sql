select exists (select from pg_stat_activity where usename = 'warrior' and state = 'active')
