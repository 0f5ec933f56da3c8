-- A slotted counter: the exact count without count(*), whose cost grows with the table.
--
-- A single counter row would make every writer wait for the commit of the writer before. The count is a sum over slots
-- instead, and a writer takes any free slot, or adds one (warrior_count_add, functions/count.sql). There
-- are as many slots as there ever were writers at once, so the sum reads at most max_connections rows.

create table if not exists public.warrior_count (
    slot bigint generated always as identity primary key,
    n bigint not null,
    -- Bytes that writers have put into the pending lists of the search indexes since the table was empty. It only grows.
    list_bytes bigint not null default 0
) with (
    -- Heap-only updates: room in the page for the updates that every insert makes. No index entry is written, and the
    -- next reader prunes the dead versions instead of a vacuum.
    fillfactor = 10,
    -- A vacuum of the rest after a thousand dead versions, however few slots there are.
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_cost_delay = 0
);

-- The last flush of the pending lists, for all servers, in one row (functions/flush.sql). What waits in the lists is the
-- sum of warrior_count.list_bytes less the list_bytes here. Only flushers write it, so no writer waits for it. A row that
-- is missing makes a flush due.
create table if not exists public.warrior_flushed (
    one boolean primary key default true check (one),
    -- The sum when the last flush began.
    list_bytes bigint not null,
    -- What searches have read of the lists since.
    read_bytes bigint not null,
    -- How many there were.
    flushes bigint not null
) with (fillfactor = 10);
