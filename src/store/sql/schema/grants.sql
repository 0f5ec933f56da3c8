-- Least privilege: who may do what, in one place. Run by every apply, so that a role that comes later gets its part, and a
-- restore without privileges is put right. A function stands with its parameters: an overload of another program is left
-- alone.
do $$
declare
    runtime text := coalesce(nullif(current_setting('warrior_api.runtime', true), ''), 'warrior');
    other record;
begin
    -- Of the secret: the owner, and roles that serve, which may add warriors. Default privileges may have given it to
    -- more.
    for other in
        select distinct acl.grantee
          from pg_catalog.pg_class as c, pg_catalog.aclexplode(c.relacl) as acl
         where c.oid = 'public.warrior_secret'::regclass and acl.grantee <> c.relowner
           and (acl.grantee = 0 or not has_table_privilege(acl.grantee, 'public.warrior', 'insert'))
    loop
        execute case other.grantee
            when 0 then 'revoke all on public.warrior_secret from public'
            else format('revoke all on public.warrior_secret from %I', pg_catalog.pg_get_userbyid(other.grantee))
        end;
    end loop;

    -- Functions that change what the triggers keep, most with the owner's rights. Every role may call a new function.
    revoke execute on function
        public.warrior_flush(),
        public.warrior_count_add(bigint),
        public.warrior_list(text[], date[]),
        public.warrior_list_letters(text[]),
        public.warrior_inserted(),
        public.warrior_updated(),
        public.warrior_deleted(),
        public.warrior_truncated(),
        public.warrior_mend_triggers(),
        public.warrior_recount()
    from public;

    -- The runtime role reads and adds. Nothing in the API changes or removes a warrior.
    execute format('grant select, insert on public.warrior to %I', runtime);
    -- The count, what a search looks up first, the version for /ready, and the secret.
    execute format('grant select on public.warrior_count, public.warrior_skill, public.warrior_date, '
                   'public.warrior_letter, public.warrior_schema, public.warrior_secret to %I', runtime);
    -- It empties the pending lists of the search indexes a few times a second while it writes, and looks for drift.
    -- The rest is what its searches and inserts call: every role may by default, which administrators change.
    execute format('grant execute on function
        public.warrior_flush(),
        public.warrior_drift(bigint),
        public.warrior_has_other_triggers(),
        public.warrior_unlisted_letter(),
        public.warrior_folded(text),
        public.warrior_pair_patterns(text),
        public.warrior_search(text),
        public.warrior_search_names(text, text, text, bigint, double precision, tid, tid),
        public.warrior_walk_names(text, bigint),
        public.warrior_index_names(text, text, text[], bigint),
        public.warrior_index_bucket(text, text, text[], text, integer, bigint),
        public.warrior_bucket_names(text, text, text[], boolean, boolean),
        public.warrior_search_dates(text, text, boolean, uuid[], double precision, tid, tid),
        public.warrior_search_days(text, text, boolean, bigint),
        public.warrior_merge_days(date[], uuid[], bigint),
        public.warrior_walk_dates(text, uuid[], bigint),
        public.warrior_search_skills(text, text, boolean, uuid[], double precision, tid, tid),
        public.warrior_few_skills(text, text, boolean, text[]),
        public.warrior_sampled_skills(text, bigint),
        public.warrior_search_listed(text, boolean, text[], bigint),
        public.warrior_search_many_skills(text, boolean, text[], uuid[]),
        public.warrior_walk_skills(text[], uuid[], bigint)
        to %I', runtime);
    -- An index calls it for every role that writes the table, and a service that used it before goes on.
    grant execute on function public.warrior_skill_keys(text[]) to public;
    -- Monitoring is optional, and so is the list of migrations, which psql does not write.
    if exists (select from pg_catalog.pg_roles where rolname = 'warrior_monitor') then
        grant select on public.warrior, public.warrior_count, public.warrior_skill, public.warrior_date,
                        public.warrior_letter, public.warrior_schema to warrior_monitor;
        if to_regclass('public.refinery_schema_history') is not null then
            grant select on public.refinery_schema_history to warrior_monitor;
        end if;
    end if;
end
$$;
