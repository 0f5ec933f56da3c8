-- search.sql for several terms at once ($1), each answered as it is there; place is the term's, from 1.
select hit.id, hit.name, hit.dob,
       case when pg_column_size(hit.fight_skills) <= 32768 or octet_length(hit.fight_skills::text) <= 4194304
            then hit.fight_skills end as fight_skills,
       term.place
  from unnest($1::text[]) with ordinality as term (term, place)
 cross join lateral public.warrior_search(term.term)
       with ordinality as hit (id, name, dob, fight_skills, rank)
 order by term.place, hit.rank
