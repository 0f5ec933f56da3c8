-- The other tiers of a search: at most $2 warriors whose name does not hold the term $1, but their date, else any one of
-- their skills. A date is written YYYY-MM-DD; what DuckDB writes of one before Christ beside its digits is not searched.
-- What is too large is left out as in find.sql.
select id,
       case when small then name end as name,
       dob,
       case when small then fight_skills end as fight_skills
  from (select id, name, dob, fight_skills, tier,
               strlen(name) + strlen(fight_skills::varchar) <= 4194304 as small
          from (select id, name, dob, fight_skills,
                       case when regexp_full_match($1, '[0-9-]{1,10}') and contains(dob::varchar, $1) then 2
                            when len(list_filter(fight_skills, lambda skill: contains(lower(skill), lower($1)))) > 0 then 3
                       end as tier
                  from warrior
                 where not contains(lower(name), lower($1)) and tier is not null
                 order by tier, name, id
                 limit $2) as hits) as sized
 order by tier, sized.name, id
