-- Catalog introspection: the functions under the API's prefix, and a hash of what decides what they do. An administrator's
-- cost and rows are left out, though `create or replace` resets them. Types of pg_catalog, which are all that the API's
-- functions take, stand without their schema, whatever search_path is. created_now: written by the transaction that asks.
--
-- SHA-256: PostgreSQL refuses md5() where OpenSSL allows approved algorithms alone (FIPS).
select format('public.%I(%s)', p.proname, pg_catalog.oidvectortypes(p.proargtypes)) as signature,
       p.proname::text as name,
       p.prosrc as body,
       encode(sha256(convert_to(
           concat_ws(chr(10), p.prosrc, l.lanname, p.prosecdef, p.provolatile, p.proisstrict, p.proparallel,
                     pg_catalog.pg_get_function_arguments(p.oid), pg_catalog.pg_get_function_result(p.oid),
                     array_to_string(p.proconfig, chr(10))), 'UTF8')), 'hex') as fingerprint,
       coalesce(p.xmin = pg_catalog.pg_current_xact_id_if_assigned()::xid, false) as created_now
  from pg_catalog.pg_proc as p
  join pg_catalog.pg_language as l on l.oid = p.prolang
 where p.pronamespace = 'public'::regnamespace and p.proname like 'warrior\_%' and p.prokind = 'f'
 order by 1
