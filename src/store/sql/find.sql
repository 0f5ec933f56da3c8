-- Warriors by id, in no order; an unknown id has no row.
       , created_at
  from public.warrior
 where id = any ($1::uuid[])
