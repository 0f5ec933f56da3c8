-- At most 50 warriors that hold the term $1, in the contract's order. The caller answers a term with U+0000 itself: no row
-- holds one, and PostgreSQL refuses the parameter.
  from public.warrior_search($1::text)
