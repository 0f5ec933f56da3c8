-- Adds a batch of warriors: the row of parameters stands as often as the batch has rows (src/store/postgres/plain/insert.rs).
-- Rows as they are, since an engine that distributes them sends each to its node, and would gather those of a query first.
-- The caller sorts by id, so that two batches that share ids wait for each other in the same order.
-- Answers the ids that were added, each with whether a trigger or row-level security of others may have changed what is
-- stored. It cannot be outdated: see schema/functions/others.sql. An id that is missing was there before, or was kept out:
-- see stored.sql.
-- Resets synchronous_commit for its transaction, which another client of a pooler may have left off: see
-- schema/functions/triggers.sql. Once for a batch, as all subqueries; a batch that adds no row has nothing to commit.
insert into public.warrior (id, name, dob, fight_skills)
values ($1, $2, $3::date, $4)
on conflict (id) do nothing
returning id,
          (select relrowsecurity
                  or exists (select
                               from pg_catalog.pg_trigger
                              where tgrelid = 'public.warrior'::pg_catalog.regclass and not tgisinternal
                                and tgtype & 4 <> 0 -- INSERT
                                and tgenabled <> 'D')
             from pg_catalog.pg_class
            where oid = 'public.warrior'::pg_catalog.regclass),
          (select pg_catalog.set_config('synchronous_commit', null, true))
