-- Commits are as durable as role, database or configuration say, whatever a client has set.
--
-- A pooler in transaction mode lends the same session to all clients of a role, and `set synchronous_commit = off` of
-- one stays for the next: a crash may then lose what was acknowledged, and no statement fails that would tell of it. So
-- the trigger of inserts takes the setting back for its transaction. Null is `reset`: what was chosen for the role, the
-- database or the server stays in force, `off` even, and so does what the session was opened with.
--
-- Where the setting is `on`, and so nothing is to be done, the question costs 0.4 to 0.8 us (a million times, by hand, on
-- a machine that others used, too); the statement takes over 600.

create or replace function public.warrior_inserted() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    added constant bigint := (select count(*) from added_rows);
    skills text[];
    unlisted text;
begin
    if added > 0 then
        if current_setting('synchronous_commit') <> 'on' then
            perform set_config('synchronous_commit', null, true);
        end if;
        skills := array(select distinct skill from added_rows, unnest(fight_skills) as skill);
        unlisted := public.warrior_unlisted_letter();
        perform public.warrior_count_add(added);
        perform public.warrior_list(skills, array(select distinct dob from added_rows));
        if exists (select from added_rows where lower(name) ~ unlisted) then
            perform public.warrior_list_letters(array(
                select name from added_rows where lower(name) ~ unlisted));
        end if;
        if exists (select from unnest(skills) as skill where lower(skill) ~ unlisted) then
            perform public.warrior_list_letters(skills);
        end if;
    end if;
    return null;
end
$$;
