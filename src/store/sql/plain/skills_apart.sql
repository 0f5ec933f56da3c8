-- As skills.sql, for a term with chr(31), which could lie across two skills: each skill by itself. Reads every row.
select id, name, dob,
       case when pg_column_size(fight_skills) <= 32768 or octet_length(fight_skills::text) <= 4194304
            then fight_skills end as fight_skills
  from public.warrior
 where exists (select
                 from unnest(fight_skills) as skill
                where lower(skill) like '%' || lower($1::text) || '%')
   and lower(name) not like '%' || lower($1::text) || '%'
   and id <> all ($3::uuid[])
 order by name collate "C", id
 limit $2::bigint
