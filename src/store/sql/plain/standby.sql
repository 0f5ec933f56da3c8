-- Waits for the standby that commits wait for, after rows in doubt were looked up, which may be on this server alone: see ../stored.sql.
select concat(set_config('synchronous_commit', null, true),
              pg_logical_emit_message(true, 'warrior-api', ''))
