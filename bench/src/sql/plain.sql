-- The plain definition of a search for $1, from the text of the contract: it reads the whole table, and
-- uses nothing that the server's own search is made of. No common table expressions, since PostgreSQL reads
-- those with one process only.
select id
  from (select id, name,
               case when lower(name) like pattern then 1
                    when to_json(dob) #>> '{}' like pattern then 2
                    when exists (select from unnest(fight_skills) as skill where lower(skill) like pattern) then 3
               end as tier
          from public.warrior,
               (select '%' || replace(replace(replace(lower($1::text), '\', '\\'), '%', '\%'), '_', '\_') || '%' as pattern) as needle)
       as tiered
 where tier is not null
 order by tier, name collate "C", id
 limit 50
