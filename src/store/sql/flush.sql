-- Empties the pending lists of the GIN indexes, and gives the number of pages that were in them. Called
-- from time to time while rows are added, so that no insert has to do it; see V6__flush.sql.
select public.warrior_flush() as pages
