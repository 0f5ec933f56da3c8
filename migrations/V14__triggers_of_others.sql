-- What others have put on the table, and what becomes of the triggers of ours.
--
-- 1. A trigger of an adopter may drop a row, replace it, change it, or delete it after the insert. `on conflict do
-- nothing ... returning id` shows the first of these alone, and so the insert asks whether there is such a trigger
-- (insert.sql); if there is, it is compared what is there (stored.sql). The answer cannot be outdated: creating,
-- enabling or changing a trigger waits for every writer of the table, and a statement takes its snapshot after the
-- lock of its table. Which triggers change rows cannot be told from the outside, so each of them counts.
--
-- CPU time of the statement in one session, laboratory's schema, us (3 rounds, a machine that others used, too):
--
--                                                alone           a batch of 50
--     as it was                                  640 - 1,010     3,260 - 3,390
--     with `exists (select from pg_trigger ...)` 650 -   890     3,400 - 3,600
--     the question alone, inline                 + 71 (66 - 77)
--     the question alone, in this function       + 18 (17 - 20)  kept: a session plans it once
--
-- No search_path of its own: it is nobody's but its caller's, names every table in full, and setting one would
-- cost a third more.

create or replace function public.warrior_has_other_triggers() returns boolean
language plpgsql stable
as $$
begin
    return exists (
        select from pg_catalog.pg_trigger
         where tgrelid = 'public.warrior'::pg_catalog.regclass
           and tgname <> 'warrior_inserted'
           and tgtype & 4 <> 0 -- INSERT
           and tgenabled <> 'D'
           and not tgisinternal);
end
$$;

-- 2. Ours fire always. As they were, session_replication_role = replica (logical replication's copy of a table,
-- migration services) went past them, and searches and counts were wrong in silence. Workers that apply what is
-- replicated fire no trigger of a statement, and whoever owns the table may disable all: warrior_drift finds that
-- out, and `schema recount` calls this again.
create or replace function public.warrior_mend_triggers() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    create or replace trigger warrior_inserted
        after insert on public.warrior
        referencing new table as added_rows
        for each statement execute function public.warrior_inserted();
    create or replace trigger warrior_updated
        after update on public.warrior
        referencing new table as changed_rows
        for each statement execute function public.warrior_updated();
    create or replace trigger warrior_deleted
        after delete on public.warrior
        referencing old table as removed_rows
        for each statement execute function public.warrior_deleted();
    create or replace trigger warrior_truncated
        after truncate on public.warrior
        for each statement execute function public.warrior_truncated();
    alter table public.warrior
        enable always trigger warrior_inserted,
        enable always trigger warrior_updated,
        enable always trigger warrior_deleted,
        enable always trigger warrior_truncated;
end
$$;
revoke execute on function public.warrior_mend_triggers from public;
select public.warrior_mend_triggers();

-- What differs from what the triggers keep: `schema status` asks, and every server now and then. All of it is right
-- when triggers is empty, kept = counted, and nothing is unlisted.
--
-- The count is compared only if there are few enough rows; in one statement, and so in one snapshot, however many
-- writers there are. Of the rest a sample is looked at: 16 pages from anywhere, and the last 16, where new rows are.
-- A table that somebody holds is left alone: sampled is null then.
create or replace function public.warrior_drift(
    count_rows_max bigint,
    out triggers text[], out folds boolean, out kept bigint, out counted bigint,
    out sampled bigint, out skills bigint, out dates bigint, out letters bigint)
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
    pages bigint;
    unlisted text;
begin
    begin
        lock table public.warrior in access share mode nowait;
    exception when lock_not_available then
        return;
    end;
    triggers := array(
        select ours
          from unnest(array['warrior_deleted', 'warrior_inserted', 'warrior_truncated', 'warrior_updated']) as ours
         where not exists (
            select from pg_trigger
             where tgrelid = 'public.warrior'::regclass and tgname = ours and tgenabled = 'A'));
    -- I, É and Ж.
    folds := (select bool_and(lower(chr(capital)) = chr(small))
                from (values (73, 105), (201, 233), (1046, 1078)) as letter (capital, small));

    select sum(n) into kept from public.warrior_count;
    kept := coalesce(kept, 0);
    if kept <= count_rows_max then
        perform set_config('enable_seqscan', 'on', true);
        select (select coalesce(sum(n), 0) from public.warrior_count), (select count(*) from public.warrior)
          into kept, counted;
        perform set_config('enable_seqscan', 'off', true);
    end if;

    pages := pg_relation_size('public.warrior') / current_setting('block_size')::bigint;
    unlisted := public.warrior_unlisted_letter();
    with seen as materialized (
        (select name, dob, fight_skills
           from public.warrior tablesample system (least(100, 1600.0 / greatest(pages, 1))))
        union all
        (select name, dob, fight_skills
           from public.warrior where ctid >= format('(%s,0)', greatest(pages - 16, 0))::tid)
    ), skill as materialized (
        select distinct skill from seen, unnest(fight_skills) as skill where skill is not null
    ), written as (
        select name as line from seen union select skill from skill
    )
    select (select count(*) from seen),
           (select count(*) from skill
             where not exists (select from public.warrior_skill as old where old.skill = skill.skill)),
           (select count(*) from (select distinct dob from seen) as used
             where not exists (select from public.warrior_date as old where old.day = used.dob)),
           (select count(*) from written where lower(line) ~ unlisted)
      into sampled, skills, dates, letters;
end
$$;

-- 3. The flush (V10) inserts a row that is never there, a copy of one that is there under a new id. A made-up row
-- met the checks of an adopter, and every flush failed. What lets the copy in neither (a unique constraint, a trigger
-- that drops the row or raises) is gone around with gin_clean_pending_list: it goes on for as long as writers add,
-- until statement_timeout ends it (V10 says what that costs), but what it has moved stays moved.
create or replace function public.warrior_flush() returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set gin_pending_list_limit = '64kB'
set work_mem = '16MB'
as $$
declare
    nothing integer;
    index regclass;
begin
    -- One flushes and at most one waits for its turn, however many servers there are: each of the two holds a
    -- connection of the pool. Whoever finds somebody waiting has nothing to do: that flush has yet to begin, and
    -- takes along what stands in the lists now. The waiter's place is a lock of the session, since it is given
    -- back in the middle of the transaction; and in any case.
    if not pg_try_advisory_xact_lock(33602666402246515) then
        if not pg_try_advisory_lock(33602666402246516) then
            return 0;
        end if;
        begin
            perform pg_advisory_xact_lock(33602666402246515);
        exception when query_canceled or others then
            perform pg_advisory_unlock(33602666402246516);
            raise;
        end;
        perform pg_advisory_unlock(33602666402246516);
    end if;

    begin
        -- Whoever holds the table keeps its writers out, too.
        lock table public.warrior in row exclusive mode nowait;
        -- The division undoes it after the indexes have it, and before any trigger of a statement sees it.
        insert into public.warrior (id, name, dob, fight_skills)
        select gen_random_uuid(), name, dob, fight_skills from public.warrior order by id desc limit 1
        returning 1 / (length(name) - length(name)) into nothing;
        if exists (select from public.warrior) then
            raise exception 'a trigger has dropped the row';
        end if;
    exception
        when division_by_zero then null;
        when lock_not_available then return 0;
        when others then
            foreach index in array array[
                to_regclass('public.idx_warrior_name_parts'),
                to_regclass('public.idx_warrior_skill_keys')
            ] loop
                perform gin_clean_pending_list(index);
            end loop;
    end;

    -- The list of a small dictionary is short, and one that does not grow has none.
    if pg_relation_size('public.warrior_skill') > 1024 * 1024 then
        begin
            insert into public.warrior_skill (skill)
            values ('flush')
            returning 1 / (length(skill) - 5) into nothing;
        exception when division_by_zero then null;
        end;
    end if;
    return 0;
end
$$;
