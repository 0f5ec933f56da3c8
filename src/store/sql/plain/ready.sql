-- Readiness on the plain schema: as ../ready.sql.
select max(number) as version,
       pg_catalog.pg_is_in_recovery() as standby,
       current_setting('transaction_read_only') = 'on' as read_only
  from public.warrior_plain
