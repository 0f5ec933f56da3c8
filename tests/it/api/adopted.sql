-- A table as the guide that the API grew out of makes it, with rows that the API would refuse.
create table public.warrior (
    id uuid primary key default gen_random_uuid(),
    name varchar(100) not null,
    dob date not null,
    fight_skills text[] not null,
    created_at timestamptz default current_timestamp
);

insert into public.warrior (id, name, dob, fight_skills, created_at) values
    ('00000000-0000-0000-0000-000000000001', '', 'infinity', '{s}', null),
    ('00000000-0000-0000-0000-000000000002', 'n', '-infinity', '{}', 'infinity'),
    ('00000000-0000-0000-0000-000000000003', 'n', '0044-03-15 BC', '{a,NULL,"","NULL"}', '-infinity'),
    ('00000000-0000-0000-0000-000000000004', 'n', '12000-01-02', '{{a,b},{c,d}}',
     '12000-01-02 05:04:05.678901+02'),
    ('00000000-0000-0000-0000-000000000005', 'n', '0001-01-01', array[repeat('x', 9000)],
     '2020-01-01 00:00:00+00'),
    ('00000000-0000-0000-0000-000000000006', 'n', '2000-01-01', '[-1:0]={low,bound}',
     '2020-01-01 00:00:00+00');
