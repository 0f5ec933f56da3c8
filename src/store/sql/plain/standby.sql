-- Waits for the standby that commits wait for, after stored_distributed.sql, whose rows may be on this server alone: see ../stored.sql.
select concat(set_config('synchronous_commit', null, true),
              pg_logical_emit_message(true, 'warrior-api', ''))
