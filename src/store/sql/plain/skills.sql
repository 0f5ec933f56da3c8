-- As names.sql, of the skills of those whose name and date do not hold the term (see dates.sql) and that are not among $3, for
-- a term without chr(31), which keeps skills apart. The expression is that of the index
-- (schema/plain/idx_warrior_plain_skills.sql).
  from public.warrior
 where lower(coalesce(fight_skills[1], '') || chr(31) || coalesce(fight_skills[2], '') ||
             chr(31) || coalesce(fight_skills[3], '') || chr(31) || coalesce(fight_skills[4], '') ||
             chr(31) || coalesce(fight_skills[5], '') || chr(31) || coalesce(fight_skills[6], '') ||
             chr(31) || coalesce(fight_skills[7], '') || chr(31) || coalesce(fight_skills[8], '') ||
             chr(31) || coalesce(fight_skills[9], '') || chr(31) || coalesce(fight_skills[10], '') ||
             chr(31) || coalesce(fight_skills[11], '') || chr(31) || coalesce(fight_skills[12], '') ||
             chr(31) || coalesce(fight_skills[13], '') || chr(31) || coalesce(fight_skills[14], '') ||
             chr(31) || coalesce(fight_skills[15], '') || chr(31) || coalesce(fight_skills[16], '') ||
             chr(31) || coalesce(fight_skills[17], '') || chr(31) || coalesce(fight_skills[18], '') ||
             chr(31) || coalesce(fight_skills[19], '') || chr(31) || coalesce(fight_skills[20], ''))
           like '%' || lower($1::text) || '%'
   and lower(name) not like '%' || lower($1::text) || '%'
   and lpad(extract(year from dob)::text, 4, '0') || '-' || lpad(extract(month from dob)::text, 2, '0') || '-' ||
       lpad(extract(day from dob)::text, 2, '0')
           not like '%' || $1::text || '%'
   and id <> all ($3::uuid[])
