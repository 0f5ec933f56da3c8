insert into public.warrior_schema (digest, functions)
values ($1, $2)
    on conflict (one) do update set digest = excluded.digest, functions = excluded.functions
