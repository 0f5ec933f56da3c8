-- At most $2 warriors whose name holds the term $1, whose wildcards the caller has escaped, in the contract's order. NULL for
-- skills that are too large: see ../find.sql. An engine that distributes the table sorts and cuts on each node.
select id, name, dob,
       case when pg_column_size(fight_skills) <= 32768 or octet_length(fight_skills::text) <= 4194304
            then fight_skills end as fight_skills
  from public.warrior
 where lower(name) like '%' || lower($1::text) || '%'
 order by name collate "C", id
 limit $2::bigint
