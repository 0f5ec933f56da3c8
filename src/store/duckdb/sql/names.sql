-- The first tier of a search: at most 50 warriors whose name holds the term $1, ignoring case. Texts are compared by
-- bytes, and so by code points. What is too large is left out as in find.sql.
select id,
       case when small then name end as name,
       dob,
       case when small then fight_skills end as fight_skills
  from (select id, name, dob, fight_skills,
               strlen(name) + strlen(fight_skills::varchar) <= 4194304 as small
          from (select id, name, dob, fight_skills
                  from warrior
                 where contains(lower(name), lower($1))
                 order by name, id
                 limit 50) as hits) as sized
 order by sized.name, id
