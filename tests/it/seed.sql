-- The seed's schema, as PostgreSQL takes it: its idx_warrior_search is refused, since array_to_string is
-- not immutable.
create extension if not exists "uuid-ossp";
create table warrior (
    id uuid primary key default uuid_generate_v4(),
    name varchar(100) not null,
    dob date not null,
    fight_skills text[] not null,
    created_at timestamptz default current_timestamp
);
create index idx_warrior_name on warrior using gin (to_tsvector('english', name));
create index idx_warrior_dob on warrior (dob);
create index idx_warrior_fight_skills on warrior using gin (fight_skills);
create index idx_warrior_created_at on warrior (created_at desc);
insert into warrior (name, dob, fight_skills)
select 'seed ' || n || ' ' || md5(n::text), date '1940-01-01' + n % 29000, array['judo', 'skill ' || n % 25]
  from generate_series(1, 100000) as n;
