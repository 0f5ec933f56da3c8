-- At most 50 warriors that hold the term $1, in the contract's order. The caller answers a term with
-- U+0000 itself: no row holds one, and PostgreSQL refuses the parameter.
select id,
       name::text,
       to_json(dob) #>> '{}' as dob,
       case when array_ndims(fight_skills) > 1
            then array(select unnest(fight_skills))
            else fight_skills
       end as fight_skills
  from public.warrior_search($1::text)
