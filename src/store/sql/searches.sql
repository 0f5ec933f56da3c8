-- search.sql for several terms at once ($1), each answered as it is there; place is the term's, from 1. The hits keep the
-- names of the table's columns: names given here would go by place, which another order of the columns shifts, or one more.
select hit.id, hit.name, hit.dob,
       case when pg_column_size(hit.fight_skills) <= 32768 or octet_length(hit.fight_skills::text) <= 4194304
            then hit.fight_skills end as fight_skills,
       term.place
  from unnest($1::text[]) with ordinality as term (term, place)
 cross join lateral public.warrior_search(term.term)
       with ordinality as hit
 order by term.place, hit.ordinality
