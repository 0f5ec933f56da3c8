-- What pgbench's scripts read. In a schema of its own, made by the owner, read by the role of the API.
create schema bench;
grant usage on schema bench to warrior;

-- Ids for inserts, a batch a row, each used once; and ids to be found.
create table bench.new_ids (size int, n int, ids uuid[] not null, primary key (size, n));
create table bench.wanted (size int, n int, ids uuid[] not null, primary key (size, n));

-- Ids of rows that are there, from the whole table, in random order; whoever looks rows up draws from them.
create table bench.pool as
select row_number() over () - 1 as k, id
  from (select id
          from public.warrior tablesample bernoulli (
               (select least(100, 12000000 / greatest(1, reltuples))
                  from pg_catalog.pg_class where oid = 'public.warrior'::regclass))
         order by random()
         limit 100000) as drawn;
create unique index on bench.pool (k);
analyze bench.pool;

-- Rows to be inserted, a batch a row. In two tables and uncompressed in place, so that reading a batch is
-- reading one page of each.
create table bench.new_names (
    size int, n int, names text[] not null, dobs text[] not null, primary key (size, n));
alter table bench.new_names alter column names set storage plain, alter column dobs set storage plain;
create table bench.new_skills (
    size int, n int, skills text[] not null, primary key (size, n));
alter table bench.new_skills alter column skills set storage plain;

-- A row a JSON document, and terms to be searched for, as the public stress test draws them.
create table bench.new_bodies (n int primary key, body json not null);
create table bench.terms (n int primary key, term text not null);

-- The table without what a search and a count need: columns and primary key, no further index, no trigger.
create table bench.warrior (like public.warrior including defaults, primary key (id));

grant select on all tables in schema bench to warrior;
grant insert on bench.warrior to warrior;
