-- The table of progress goes with its last row.
do $$
begin
    if not exists (select from public.warrior_import) then
        drop table public.warrior_import;
    end if;
end
$$
