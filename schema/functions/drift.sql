-- Drift detection: what differs from what the triggers keep. `schema status` asks, and every server now and then. All
-- is right when triggers is empty, kept = counted, and nothing is unlisted.
--
-- The count is compared only up to count_rows_max rows, in one statement and so in one snapshot, however many writers
-- there are. Of the rest a sample is read: 16 pages from anywhere, and the last 16, where new rows are. A table that
-- is locked is left alone: sampled is null then.

create or replace function public.warrior_drift(
    count_rows_max bigint,
    out triggers text[], out folds boolean, out kept bigint, out counted bigint,
    out sampled bigint, out skills bigint, out letters bigint)
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
    pages bigint;
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
             where tgrelid = 'public.warrior'::regclass and tgname = ours and tgenabled = 'A'
               and tgfoid = to_regprocedure('public.' || ours || '()')));
    -- I, É and Ж.
    folds := (select bool_and(lower(chr(capital)) = chr(small))
                from (values (73, 105), (201, 233), (1046, 1078)) as letter (capital, small));

    select sum(n) into kept from public.warrior_count;
    kept := coalesce(kept, 0);
    if count_rows_max > 0 and kept <= count_rows_max then
        perform set_config('enable_seqscan', 'on', true);
        select (select coalesce(sum(n), 0) from public.warrior_count), (select count(*) from public.warrior)
          into kept, counted;
        perform set_config('enable_seqscan', 'off', true);
    end if;

    pages := pg_relation_size('public.warrior') / current_setting('block_size')::bigint;
    with seen as materialized (
        (select name, fight_skills
           from public.warrior tablesample system (least(100, 1600.0 / greatest(pages, 1))))
        union all
        (select name, fight_skills
           from public.warrior where ctid >= format('(%s,0)', greatest(pages - 16, 0))::tid)
    ), skill as materialized (
        select distinct skill from seen, unnest(fight_skills) as skill where skill is not null
    ), written as (
        select name as line from seen union select skill from skill
    )
    select (select count(*) from seen),
           (select count(*) from skill
             where not exists (select from public.warrior_skill as old where old.skill = skill.skill)),
           -- In this statement: what is listed between two would be taken for missing.
           (select count(*) from written where lower(line) ~ (select public.warrior_unlisted_letter()))
      into sampled, skills, letters;
end
$$;
