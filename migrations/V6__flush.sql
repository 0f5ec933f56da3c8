-- A GIN index with fastupdate appends new rows to a pending list, which every search reads from end to
-- end; the writer whose row overfills the list (4 MB) moves it all into the index, and waits for it.
--
-- FLUSHED --
--
-- So somebody should empty the lists before a writer has to. Only the owner of an index may, hence
-- security definer: the server calls this a few times a second while it writes (flush.sql). Nobody has
-- to: without it the writers do as above, and vacuum does too.

create or replace function public.warrior_flush() returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    pages bigint := 0;
    index regclass;
begin
    -- One at a time, however many servers there are; the others have nothing to wait for.
    if not pg_try_advisory_xact_lock(33602666402246515) then
        return 0;
    end if;
    foreach index in array array[
        to_regclass('public.idx_warrior_name_trigram'),
        to_regclass('public.idx_warrior_skill_keys'),
        to_regclass('public.warrior_skill_trigram')
    ] loop
        pages := pages + coalesce(gin_clean_pending_list(index), 0);
    end loop;
    return pages;
end
$$;
revoke execute on function public.warrior_flush from public;
grant execute on function public.warrior_flush to warrior;
