-- Warriors by id, in no order; an unknown id has no row. Columns as they are stored: see decode.rs. Skills of more
-- than 4 MiB, which only other ways than the API bring in, are NULL: a client must hold a row in memory as a whole.
-- Their written length is worth its time only where they are long as they are stored, perhaps compressed.
select id, name, dob,
       case when pg_column_size(fight_skills) <= 32768 or octet_length(fight_skills::text) <= 4194304
            then fight_skills end as fight_skills,
       created_at
  from public.warrior
 where id = any ($1::uuid[])
