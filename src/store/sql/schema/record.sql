-- The schema's record, one row. number: of the program whose apply was the last to finish, null before the first one has.
-- digest, functions: of the functions that are there, and how each is declared.
create table if not exists public.warrior_schema (
    one boolean primary key default true check (one),
    number integer,
    digest text not null,
    functions text[] not null
);
