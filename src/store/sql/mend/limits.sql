-- After reset.sql: makes the transaction read only again where role or database say so, and gives the limits
-- that they set, in milliseconds; 0 is none.
select set_config('transaction_read_only', current_setting('default_transaction_read_only'), true) = 'on' as read_only,
       (1000 * extract(epoch from current_setting('statement_timeout')::interval))::float8 as statement_ms,
       (1000 * extract(epoch from current_setting('lock_timeout')::interval))::float8 as lock_ms
