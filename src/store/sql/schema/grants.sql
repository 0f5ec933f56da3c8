-- Who may do what, in one place. Run by every apply, so that a role that comes later gets its part, too.
do $$
declare
    runtime text := coalesce(nullif(current_setting('warrior_api.runtime', true), ''), 'warrior');
begin
    -- The runtime role reads and adds. Nothing in the API changes or removes a warrior.
    execute format('grant select, insert on public.warrior to %I', runtime);
    -- The count, what a search looks up first, the version for /ready, and the secret.
    execute format('grant select on public.warrior_count, public.warrior_skill, public.warrior_date, '
                   'public.warrior_letter, public.warrior_schema, public.warrior_secret to %I', runtime);
    -- It empties the pending lists of the search indexes a few times a second while it writes, and looks for drift.
    -- The rest is what its searches and inserts call: everybody may by default, which administrators change.
    execute format('grant execute on function public.warrior_flush, public.warrior_drift, '
                   'public.warrior_has_other_triggers, public.warrior_unlisted_letter, '
                   'public.warrior_folded, public.warrior_pair_patterns, public.warrior_search, '
                   'public.warrior_search_names, public.warrior_walk_names, public.warrior_index_names, '
                   'public.warrior_index_bucket, public.warrior_bucket_names, public.warrior_search_dates, '
                   'public.warrior_search_days, public.warrior_merge_days, public.warrior_walk_dates, '
                   'public.warrior_search_skills, public.warrior_few_skills, public.warrior_sampled_skills, '
                   'public.warrior_search_listed, public.warrior_search_many_skills, public.warrior_walk_skills '
                   'to %I', runtime);
    -- An index calls it for whoever writes the table, and a service that used it before goes on.
    grant execute on function public.warrior_skill_keys to public;
    -- Monitoring is optional.
    if exists (select from pg_catalog.pg_roles where rolname = 'warrior_monitor') then
        grant select on public.warrior, public.warrior_count, public.warrior_skill, public.warrior_date,
                        public.warrior_letter, public.warrior_schema, public.refinery_schema_history to warrior_monitor;
    end if;
end
$$;
