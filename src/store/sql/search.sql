-- At most 50 warriors that hold the term $1, in the contract's order. Columns as they are stored: see
-- decode.rs; NULL for skills that are too large: see find.sql. The caller answers a term with U+0000 itself: no row
-- holds one, and PostgreSQL refuses the parameter.
select id, name, dob,
       case when pg_column_size(fight_skills) <= 32768 or octet_length(fight_skills::text) <= 4194304
            then fight_skills end as fight_skills
  from public.warrior_search($1::text)
