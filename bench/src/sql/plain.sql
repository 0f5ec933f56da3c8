-- Test oracle: the plain definition of a search for $1, from the text of the contract. The statement reads every row,
-- and uses nothing that the server's own search is made of. Dates are as they are served, years before Christ and
-- beyond 9999 included, and are searched for digits and hyphens alone. The tests of tests/it/search.rs share the file.
-- No common table expressions, since PostgreSQL reads those with one process only.
select id, name, dob, fight_skills
  from (select id, name, dob, fight_skills,
               case when position(lower($1::text) in lower(name)) > 0 then 1
                    when $1 ~ '^[0-9-]{1,10}$' and position($1 in to_json(dob) #>> '{}') > 0 then 2
                    when exists (select from unnest(fight_skills) as skill
                                  where position(lower($1) in lower(skill)) > 0) then 3
               end as tier
          from public.warrior) as tiered
 where tier is not null
 order by tier, name collate "C", id
 limit 50
