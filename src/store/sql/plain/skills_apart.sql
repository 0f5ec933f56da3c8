-- As skills.sql, for a term with chr(31), which could lie across two skills: each skill by itself. Reads every row.
  from public.warrior
 where exists (select
                 from unnest(fight_skills) as skill
                where lower(skill) like '%' || lower($1::text) || '%')
   and lower(name) not like '%' || lower($1::text) || '%'
   and id <> all ($3::uuid[])
