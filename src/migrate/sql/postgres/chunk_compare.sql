-- The rows of a chunk whose ids are there: their number, the number of those that have other content, and the first 20 of
-- these. Text is compared byte for byte, whatever the collation of the columns is.
with there as (
    select chunk.id,
           row(chunk.name collate "C", chunk.dob, chunk.fight_skills collate "C")
               is distinct from row(warrior.name::text collate "C", warrior.dob, warrior.fight_skills::text[] collate "C")
           or chunk.created_at is distinct from warrior.created_at and chunk.created_at is not null as differs
      from pg_temp.warrior_import_chunk as chunk
      join public.warrior on warrior.id = chunk.id
)
select count(*) as there,
       count(*) filter (where differs) as other,
       coalesce((array_agg(id order by id) filter (where differs))[:20], '{}') as examples
  from there
