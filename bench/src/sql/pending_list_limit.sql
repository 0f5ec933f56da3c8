select pg_size_bytes(current_setting('gin_pending_list_limit'))
