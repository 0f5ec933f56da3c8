-- What /ready asks: the version of the schema, to be compared with the one this program was built for, and
-- whether anything can be stored.
select max(number) as version,
       pg_catalog.pg_is_in_recovery() as standby,
       current_setting('transaction_read_only') = 'on' as read_only
  from public.warrior_schema
