do $$
begin
    execute format(
        'alter role %I password %L',
        current_setting('warrior_api.role'),
        current_setting('warrior_api.password')
    );
end
$$
