-- Warriors by up to eight ids ($1 to $8, which may be equal), in no order; an unknown id has no row. A list of
-- placeholders is looked up in the index of the key, one array that holds them all is not. Name and skills of more than
-- 4 MiB, which only other ways than the API bring in, are NULL: a client must hold a row in memory as a whole.
select id,
       case when small then name end as name,
       dob,
       case when small then fight_skills end as fight_skills,
       created_at
  from (select id, name, dob, fight_skills, created_at,
               strlen(name) + coalesce(list_sum(list_transform(fight_skills, lambda skill: strlen(skill))), 0) <= 4194304
               as small
          from warrior)
 where id in ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::uuid, $6::uuid, $7::uuid, $8::uuid)
