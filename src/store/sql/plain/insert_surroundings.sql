-- Answers with each id whether a trigger or row-level security of others may have changed what is stored. It cannot be
-- outdated: see schema/functions/others.sql.
-- Resets synchronous_commit for its transaction, which another client of a pooler may have left off: see
-- schema/functions/triggers.sql. Once for a batch, as all subqueries; a batch that adds no row has nothing to commit.
        , (select relrowsecurity
                  or exists (select
                               from pg_catalog.pg_trigger
                              where tgrelid = 'public.warrior'::pg_catalog.regclass and not tgisinternal
                                and tgtype & 4 <> 0 -- INSERT
                                and tgenabled <> 'D')
             from pg_catalog.pg_class
            where oid = 'public.warrior'::pg_catalog.regclass)
        , (select pg_catalog.set_config('synchronous_commit', null, true))
