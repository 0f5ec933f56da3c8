-- A GIN index with fastupdate appends new rows to a pending list, which every search reads from end to
-- end; the writer whose row overfills the list (4 MB) moves it all into the index, and waits for it.
--
-- 50-row inserts by 4 clients at 5,000 rows/s beside one client that searches for 8 letters of a name,
-- laboratory data, 125,000 rows, ms (the 99th percentiles of two rounds where they differ):
--
--                             insert p99    insert max    search p50    search p99    most rows/s
--     fastupdate = off     1,516 - 2,671         2,715           0.4           4.2          5,700
--     list of 64 kB             24 - 414         2,559           1.1           5.2         30,600
--     list of 1 MB             186 - 208         4,805           1.2          41.4         33,700
--     list of 4 MB (default)    35 - 233           593           1.7           9.2         29,400
--     list of 16 MB             14 -  46           917           3.9          52.9         32,200
--     4 MB, flushed every 0.2 s       20            66           1.1           6.3         26,500
--
-- The list's size moves the stall about; only flushing removes it.
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
