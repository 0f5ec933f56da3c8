-- What PostgREST runs for a POST of the JSON $1 with `Prefer: return=representation`, without the settings of its role
-- and headers. The table's default makes the id.
with pgrst_source as (
    insert into public.warrior (name, dob, fight_skills)
    select pgrst_body.name, pgrst_body.dob, pgrst_body.fight_skills
      from (select $1::json as json_data) as pgrst_payload
     cross join lateral json_to_record(pgrst_payload.json_data)
           as pgrst_body (name text, dob date, fight_skills text[])
    returning id, name, dob, fight_skills)
select '' as total_result_set, pg_catalog.count(_postgrest_t) as page_total, array[]::text[] as header,
       coalesce(json_agg(_postgrest_t), '[]')::text as body,
       nullif(current_setting('response.headers', true), '') as response_headers,
       nullif(current_setting('response.status', true), '') as response_status
  from (select * from pgrst_source) as _postgrest_t
