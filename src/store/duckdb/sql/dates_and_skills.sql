-- The other tiers of a search: at most $2 warriors whose name does not hold the term $1, but their date, else any one of
-- their skills. A date is written YYYY-MM-DD; what DuckDB writes of one before Christ beside its digits is not searched.
  from (select *
          from (select *,
                       case when regexp_full_match($1, '[0-9-]{1,10}') and contains(dob::varchar, $1) then 2
                            when len(list_filter(fight_skills, lambda skill: contains(lower(skill), lower($1)))) > 0 then 3
                       end as tier_of_search
                  from warrior
                 where not contains(lower(name), lower($1)))
         where tier_of_search is not null
         order by tier_of_search, name, id
         limit $2) as hit
 order by tier_of_search, hit.name, id
