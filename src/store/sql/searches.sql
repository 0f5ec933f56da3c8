-- search.sql for several terms at once ($1), each answered as it is there; place is the term's, from 1.
select hit.id, hit.name, hit.dob, hit.fight_skills, term.place
  from unnest($1::text[]) with ordinality as term (term, place)
 cross join lateral public.warrior_search(term.term)
       with ordinality as hit (id, name, dob, fight_skills, rank)
 order by term.place, hit.rank
