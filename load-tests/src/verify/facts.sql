-- What makes two databases comparable: version, durability, and a digest of every setting that
-- differs from its default.
SELECT
    current_setting('server_version'),
    current_setting('fsync'),
    current_setting('synchronous_commit'),
    current_setting('full_page_writes'),
    (
        SELECT md5(string_agg(name || '=' || setting, ';' ORDER BY name))
        FROM pg_settings
        WHERE source NOT IN ('default', 'override', 'client', 'session')
            AND name NOT IN ('port', 'data_directory', 'config_file', 'hba_file', 'ident_file')
    )
