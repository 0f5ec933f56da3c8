-- Dictionaries: each distinct skill and letter once. A search for a part of a skill is answered from the short list, and
-- then by an exact index on warrior. Triggers keep them for every writer (functions/lists.sql).
--
-- No unique constraint, on purpose. A constraint makes the writer of a new skill wait for every open transaction that
-- brings the same skill (`on conflict do nothing` waits, too): one idle transaction would stop all writers. Without the
-- constraint, two writers that cannot see each other's new skill both list it. A copy is harmless, since an index that
-- is asked for a value twice gives each row once. Copies are bounded by the number of writers at once, and `schema
-- recount` removes them. Nothing waits on these tables, so the order of the skills in a statement cannot deadlock.
--
-- An entry stays when its last warrior is deleted: the price is one probe that finds nothing.

create table if not exists public.warrior_skill (skill text not null);
-- The characters of any kind that names and skills hold, case folded: some forty rows for one alphabet. A term with a
-- letter that is not listed is in no name and no skill, and nothing is read to know it. A term of two letters has no
-- trigram, but has those that it makes with each letter that may follow, so that the index finds it.
--
-- A row that is null gives the list up: over 300 letters (Chinese, say) would cost an insert more than they save a
-- search.
create table if not exists public.warrior_letter (letter text);

-- Membership, asked for each distinct skill of each insert. A hash index, since a btree refuses keys over 2,704 bytes
-- and would then refuse a COPY of one long skill; 4 bytes a key.
create index if not exists warrior_skill_exact on public.warrior_skill using hash (skill);
-- Substrings: clients choose skills, so their number has no bound.
create index if not exists warrior_skill_trigram
    on public.warrior_skill using gin (lower(skill) gin_trgm_ops);
