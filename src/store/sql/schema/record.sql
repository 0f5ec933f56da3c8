-- The version record of the schema, one row.
-- number: of the program whose apply was the last to finish, null before the first one has.
-- functions_number, digest: of the program that created the functions, and of their text.
-- functions, fingerprints: each function that is there, by its signature, and a hash of its definition.
-- superseded: functions of an older program, which an apply of a higher number than functions_number drops.
-- triggers: the fingerprint of warrior_mend_triggers when the triggers were created.
-- filled: the version of the last table file when count and dictionaries were filled.
create table if not exists public.warrior_schema (
    one boolean primary key default true check (one),
    number integer,
    functions_number integer not null,
    digest text not null,
    functions text[] not null,
    fingerprints text[] not null,
    superseded text[] not null,
    triggers text,
    filled integer
);
