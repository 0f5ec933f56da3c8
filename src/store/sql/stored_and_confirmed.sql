-- The end of both looks at rows in doubt: stored.sql says why it writes.
  left join public.warrior as w on w.id = any ($1::uuid[])
 where (select case when current_setting('synchronous_standby_names') = '' then true
                    else concat(set_config('synchronous_commit', null, true),
                                pg_logical_emit_message(true, 'warrior-api', '')) <> '' end)
