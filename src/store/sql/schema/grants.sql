-- Least privilege: who may do what, in one place. Run by every apply, so that a role that comes later gets its part, and a
-- restore without privileges is put right. What a role has already is not granted again: each grant writes the catalog, and
-- every session then reads it anew. A function stands with its parameters: an overload of another program is left alone.
do $$
declare
    runtime constant text := coalesce(nullif(current_setting('warrior_api.runtime', true), ''), 'warrior');
    -- Functions that change what the triggers keep, most with the owner's rights. Every role may call a new function.
    guarded constant regprocedure[] := array[
        'public.warrior_pending(bigint)',
        'public.warrior_flush(bigint, integer)',
        'public.warrior_count_add(bigint, bigint)',
        'public.warrior_list(text[])',
        'public.warrior_list_letters(text[])',
        'public.warrior_inserted()',
        'public.warrior_updated()',
        'public.warrior_deleted()',
        'public.warrior_truncated()',
        'public.warrior_mend_triggers()',
        'public.warrior_recount()'];
    -- The runtime role asks how long the pending lists are, and empties them while it writes. It looks for drift. The rest
    -- is what its searches and inserts call: every role may by default, which administrators change.
    called constant regprocedure[] := array[
        'public.warrior_pending(bigint)',
        'public.warrior_flush(bigint, integer)',
        'public.warrior_waiting(bigint, bigint)',
        'public.warrior_is_cleaned(regclass[])',
        'public.warrior_drift(bigint)',
        'public.warrior_has_other_triggers()',
        'public.warrior_unlisted_letter()',
        'public.warrior_folded(text)',
        'public.warrior_name_holds(text, text, boolean)',
        'public.warrior_pair_expression(text)',
        'public.warrior_search(text)',
        'public.warrior_sample(integer, integer)',
        'public.warrior_has_trigram(text)',
        'public.warrior_search_by_name(text, text)',
        'public.warrior_names_by_walk(text, text, bigint)',
        'public.warrior_names_by_index(text, text, text, bigint)',
        'public.warrior_names_in_bucket(text, text, text, integer, bigint)',
        'public.warrior_names_by_buckets(text, text, boolean, boolean)',
        'public.warrior_search_by_date(text, text, uuid[])',
        'public.warrior_search_by_skill(text, text, tid[])',
        'public.warrior_few_skills(text, text, boolean, text)',
        'public.warrior_sampled_skills(text, bigint)',
        'public.warrior_search_listed(text, boolean, text, bigint)',
        'public.warrior_search_by_many_skills(text, boolean, text, tid[])',
        'public.warrior_skills_by_walk(text[], tid[], bigint)'];
    -- An index calls it for every role that writes the table, and a service that used it before goes on.
    indexed constant regprocedure := 'public.warrior_skill_keys(text[])';
    -- The warriors, the count, what a search looks up first, and the version for /ready.
    shown constant regclass[] := array[
        'public.warrior', 'public.warrior_count', 'public.warrior_flushed', 'public.warrior_skill', 'public.warrior_letter',
        'public.warrior_schema'];
    secret constant regclass := 'public.warrior_secret';
    -- The list of migrations is optional: psql does not write it.
    history constant regclass := to_regclass('public.refinery_schema_history');
    -- Functions of an older program that run with the owner's rights, and stay for its servers.
    superseded constant regprocedure[] := array(
        select p.oid::regprocedure
          from public.warrior_schema as record, unnest(record.superseded) as signature
          join pg_catalog.pg_proc as p on p.oid = to_regprocedure(signature)
         where p.prosecdef and pg_catalog.pg_has_role(p.proowner, 'usage'));
    other record;
    command text;
begin
    -- Of the secret: the owner, and roles that serve, which may add warriors. Default privileges may have given it to
    -- more.
    for other in
        select distinct acl.grantee
          from pg_catalog.pg_class as c, pg_catalog.aclexplode(c.relacl) as acl
         where c.oid = secret and acl.grantee <> c.relowner
           and (acl.grantee = 0 or not has_table_privilege(acl.grantee, 'public.warrior', 'insert'))
    loop
        execute case other.grantee
            when 0 then 'revoke all on public.warrior_secret from public'
            else format('revoke all on public.warrior_secret from %I', pg_catalog.pg_get_userbyid(other.grantee))
        end;
    end loop;

    for command in
        with granted (privilege, kind, object, role) as (
            select acl.privilege_type, 'function', p.oid, acl.grantee
              from pg_catalog.pg_proc as p
             cross join pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) as acl
             where p.oid = any (guarded || called || indexed || superseded)
            union all
            select acl.privilege_type, 'table', c.oid, acl.grantee
              from pg_catalog.pg_class as c
             cross join pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) as acl
             where c.oid = any (shown || secret || history)
        ), wanted (privilege, kind, object, name, role) as (
            -- Nothing in the API changes or removes a warrior.
            values ('INSERT', 'table', 'public.warrior'::regclass::oid, 'public.warrior', runtime)
            union all
            select 'SELECT', 'table', t::oid, t::text, runtime from unnest(shown || secret) as t
            union all
            select 'EXECUTE', 'function', f::oid, f::text, runtime from unnest(called) as f
            union all
            select 'SELECT', 'table', t::oid, t::text, rolname
              from pg_catalog.pg_roles, unnest(shown || history) as t
             where rolname = 'warrior_monitor' and t is not null
        )
        select format('revoke execute on function %s from public', f)
          from unnest(guarded || superseded) as f
         where ('EXECUTE', 'function', f::oid, 0::oid) in (table granted)
        union all
        select format('grant execute on function %s to public', indexed)
         where ('EXECUTE', 'function', indexed::oid, 0::oid) not in (table granted)
        union all
        select format('grant %s on %s %s to %I', privilege, kind, name, role)
          from wanted
          left join pg_catalog.pg_roles on rolname = role
         where (privilege, kind, object, coalesce(pg_roles.oid, 0)) not in (table granted)
    loop
        execute command;
    end loop;
end
$$;
