-- The first tier of a search: at most 50 warriors whose name holds the term $1, ignoring case. Texts are compared by
-- bytes, and so by code points.
  from (select *
          from warrior
         where contains(lower(name), lower($1))
         order by name, id
         limit 50) as hit
 order by hit.name, id
