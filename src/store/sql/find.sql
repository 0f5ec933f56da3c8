-- Warriors by id, in no order; an unknown id has no row.
-- to_json writes dates and times as ISO 8601 whatever DateStyle and TimeZone are, infinity and BC
-- included. A nested array, which only other ways than the API can bring in, has no form in the
-- contract and is flattened.
select id,
       name::text,
       to_json(dob) #>> '{}' as dob,
       case when array_ndims(fight_skills) > 1
            then array(select unnest(fight_skills))
            else fight_skills
       end as fight_skills,
       case when isfinite(created_at)
            then (to_json(created_at at time zone 'UTC') #>> '{}') || 'Z'
            else created_at::text
       end as created_at
  from public.warrior
 where id = any ($1::uuid[])
