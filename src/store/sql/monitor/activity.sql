-- Client connections of the whole server and the age of the oldest of each kind, but for this one. No text of a statement is
-- read: it may hold names of people.
with client as materialized (
    select state, query_start, xact_start, state_change,
           state in ('idle in transaction', 'idle in transaction (aborted)') as idles
      from pg_catalog.pg_stat_activity
     where backend_type = 'client backend' and pid <> pg_catalog.pg_backend_pid()
)
select count(*) + 1 as connections,
       count(*) filter (where state = 'active') as active,
       count(*) filter (where idles) as idle_in_transaction,
       coalesce(extract(epoch from max(clock_timestamp() - query_start) filter (where state = 'active')), 0)::float8
           as longest_statement,
       coalesce(extract(epoch from max(clock_timestamp() - xact_start)), 0)::float8 as longest_transaction,
       coalesce(extract(epoch from max(clock_timestamp() - state_change) filter (where idles)), 0)::float8
           as longest_idle_transaction
  from client
