-- What every statement of rows answers; each file goes on with where its rows come from. Name and skills of more than 4 MiB,
-- which only other ways than the API bring in, are NULL: a client must hold a row in memory as a whole.
select id,
       case when strlen(name) + strlen(fight_skills::varchar) <= 4194304 then name end as name,
       dob,
       case when strlen(name) + strlen(fight_skills::varchar) <= 4194304 then fight_skills end as fight_skills,
       created_at
