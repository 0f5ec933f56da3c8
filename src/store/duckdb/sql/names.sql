-- The first tier of a search: at most 50 warriors whose name holds the term $1, ignoring case. Texts are compared by
-- bytes, and so by code points. Skills as in find.sql.
select id, name, dob,
       case when coalesce(list_sum(list_transform(fight_skills, lambda skill: strlen(skill))), 0) <= 4194304
            then fight_skills end as fight_skills
  from (select id, name, dob, fight_skills
          from warrior
         where contains(lower(name), lower($1))
         order by name, id
         limit 50)
 order by name, id
