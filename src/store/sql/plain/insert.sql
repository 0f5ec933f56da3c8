-- Adds a batch of warriors: the row of parameters stands as often as the batch has rows (src/store/postgres/plain/insert.rs).
-- Rows as they are, since an engine that distributes them sends each to its node, and would gather those of a query first.
-- The caller sorts by id, so that two batches that share ids wait for each other in the same order.
-- Answers the ids that were added. An id that is missing was there before, or was kept out: its row is looked up.
-- This is all where an engine takes no more of a table that it distributes; else insert_surroundings.sql follows.
insert into public.warrior (id, name, dob, fight_skills)
values ($1, $2, $3::date, $4)
on conflict (id) do nothing
returning id
