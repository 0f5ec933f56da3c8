-- What PostgREST makes of any source of rows, without the settings of its role and headers.
select null::bigint as total_result_set, pg_catalog.count(_postgrest_t) as page_total,
       coalesce(json_agg(_postgrest_t), '[]')::text as body,
       nullif(current_setting('response.headers', true), '') as response_headers,
       nullif(current_setting('response.status', true), '') as response_status
  from (select * from pgrst_source) as _postgrest_t
