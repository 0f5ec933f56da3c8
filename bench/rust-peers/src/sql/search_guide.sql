-- The search of the migration guide, section 4, as it stands, for the term $1, of which $2 is the pattern; only ids and
-- dates come in binary rather than as text. No index helps it, and % and _ in a term are wildcards.
select id, name, dob, fight_skills
  from warrior
 where name ilike $2
    or dob::text ilike $2
    or $1 = any (fight_skills)
    or exists (select 1 from unnest(fight_skills) as skill where skill ilike $2)
 order by case when name ilike $2 then 1
               when dob::text ilike $2 then 2
               else 3
          end,
          name
 limit 50
