-- Gives the runtime role the limits that it lacks, in this database alone: with one role for everything,
-- its sessions elsewhere stay as they are.
do $$
declare
    runtime text := coalesce(nullif(current_setting('warrior_api.runtime', true), ''), 'warrior');
    missing record;
begin
    for missing in select key, value from json_each_text(coalesce(nullif(current_setting('warrior_api.limits', true), ''), '{}')::json) loop
        perform set_config(missing.key, missing.value, true);
        execute format('alter role %I in database %I set %I from current',
                       runtime, current_database(), missing.key);
    end loop;
end
$$;
