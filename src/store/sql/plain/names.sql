-- Warriors whose name holds the term $1, whose wildcards the caller has escaped; order.sql follows.
  from public.warrior
 where lower(name) like '%' || lower($1::text) || '%'
