-- Who may do what, in one place. Run by every apply, so that a role that comes later gets its part, too.
do $$
declare
    runtime text := coalesce(nullif(current_setting('warrior_api.runtime', true), ''), 'warrior');
begin
    -- The runtime role reads and adds. Nothing in the API changes or removes a warrior.
    execute format('grant select, insert on public.warrior to %I', runtime);
    -- The count, what a search looks up first, the version for /ready, and the secret.
    execute format('grant select on public.warrior_count, public.warrior_skill, public.warrior_date, '
                   'public.warrior_letter, public.refinery_schema_history, public.warrior_secret to %I', runtime);
    -- It empties the pending lists of the search indexes a few times a second while it writes.
    execute format('grant execute on function public.warrior_flush to %I', runtime);
    -- Monitoring is optional.
    if exists (select from pg_catalog.pg_roles where rolname = 'warrior_monitor') then
        grant select on public.warrior, public.warrior_count, public.warrior_skill, public.warrior_date,
                        public.warrior_letter, public.refinery_schema_history to warrior_monitor;
    end if;
end
$$;
