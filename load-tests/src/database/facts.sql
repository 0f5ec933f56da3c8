-- What makes two databases comparable: version, durability, and a digest of every setting that
-- differs from its default.
select
    current_setting('server_version'),
    current_setting('fsync'),
    current_setting('synchronous_commit'),
    current_setting('full_page_writes'),
    (
        select encode(sha256(convert_to(string_agg(name || '=' || setting, ';' order by name), 'UTF8')), 'hex')
        from pg_settings
        where source not in ('default', 'override', 'client', 'session')
            and name not in ('port', 'data_directory', 'config_file', 'hba_file', 'ident_file')
    )
