-- The table of the secret that ids are derived with where none is configured; one row. The service before this one does
-- not look at it.
create table if not exists warrior_secret (
    number integer primary key default 1 check (number = 1),
    idempotency varchar not null
)
