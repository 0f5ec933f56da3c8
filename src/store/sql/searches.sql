-- search.sql for several terms at once ($1), each answered as it is there; place is the term's, from 1. The hits keep the
-- names of the table's columns: names given here would go by place, which another order of the columns shifts, or one more.
       , term.place
  from unnest($1::text[]) with ordinality as term (term, place)
 cross join lateral public.warrior_search(term.term)
       with ordinality as hit
 order by term.place, hit.ordinality
