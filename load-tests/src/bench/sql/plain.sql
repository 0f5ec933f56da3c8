-- The plain definition of a search for $1, from the text of the contract: it reads the whole table, and
-- uses nothing that the server's own search is made of.
with needle as materialized (
    select '%' || replace(replace(replace(lower($1::text), '\', '\\'), '%', '\%'), '_', '\_') || '%' as pattern),
tiered as (
    select id, name,
           case when lower(name) like (select pattern from needle) then 1
                when to_json(dob) #>> '{}' like (select pattern from needle) then 2
                when exists (select from unnest(fight_skills) as skill
                              where lower(skill) like (select pattern from needle)) then 3
           end as tier
      from public.warrior)
select id
  from tiered
 where tier is not null
 order by tier, name collate "C", id
 limit 50
