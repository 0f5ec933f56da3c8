-- What every statement of rows answers first; each file beside this one, and in plain, that goes on behind it
-- (statements.rs) says what comes from where. Columns as they are stored: see decode.rs. Skills of more than 4 MiB, which
-- only other ways than the API bring in, are NULL: a client must hold a row in memory as a whole. Their written length is
-- worth its time only where they are long as they are stored, perhaps compressed.
select id, name, dob,
       case when pg_column_size(fight_skills) <= 32768 or octet_length(fight_skills::text) <= 4194304
            then fight_skills end as fight_skills
