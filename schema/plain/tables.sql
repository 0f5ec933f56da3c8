-- The plain schema (`warrior-api schema apply --plain`): the same table as schema/tables has, and nothing that needs more of
-- an engine than tables, ordinary indexes and expressions: no triggers, no functions of ours, no second table in a request.
-- So it can be distributed, and other engines that speak PostgreSQL can take it. Its indexes stand beside, its statements in
-- src/store/sql/plain.
--
-- Two constraints keep what only other ways than the API could bring in out of it, so that the expressions which the
-- indexes hold cover every row: dates that are not written with ten characters, and skills beyond the twentieth, or in
-- another shape than a list that begins with 1.
--
-- `if not exists`: a kill may fall between this transaction and the indexes.
create table if not exists public.warrior (
    id uuid primary key default gen_random_uuid(),
    name varchar(100) not null,
    dob date not null constraint warrior_dob_written
        check (dob between date '0001-01-01' and date '9999-12-31'),
    fight_skills text[] not null constraint warrior_fight_skills_listed
        check (cardinality(fight_skills) <= 20 and array_ndims(fight_skills) = 1 and array_lower(fight_skills, 1) = 1),
    created_at timestamptz not null default now()
);

-- The secret of Idempotency-Keys, as in schema/tables/V4__secret.sql.
create table if not exists public.warrior_secret (
    one boolean primary key default true check (one),
    idempotency text not null
);
insert into public.warrior_secret (idempotency)
select encode(sha256(convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8')), 'hex')
  from generate_series(1, 4)
    on conflict do nothing;

-- The version record of the plain schema, and the mark by which a server knows it. number: of the program whose apply was
-- the last to finish, null before the first one has.
create table if not exists public.warrior_plain (
    one boolean primary key default true check (one),
    number integer
);
insert into public.warrior_plain default values
    on conflict do nothing;
