-- Warriors by id ($1), in no order; an unknown id has no row. Skills of more than 4 MiB, which only other ways than the
-- API bring in, are NULL: a client must hold a row in memory as a whole.
select id, name, dob,
       case when coalesce(list_sum(list_transform(fight_skills, lambda skill: strlen(skill))), 0) <= 4194304
            then fight_skills end as fight_skills,
       created_at
  from warrior
 where list_contains($1::uuid[], id)
