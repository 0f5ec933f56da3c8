-- Without cascade: an index, a trigger or a view that depends on one stops the apply, and all of it is undone.
do $$
declare
    stale text;
begin
    for stale in select json_array_elements_text(current_setting('warrior_api.functions')::json) loop
        execute format('drop function if exists public.%I', stale);
    end loop;
end
$$;
