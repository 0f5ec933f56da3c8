-- The table of the old service.
create table warrior (
    id uuid primary key default uuid(),
    name varchar(100) not null,
    dob date not null,
    fight_skills varchar[] not null,
    created_at timestamptz default current_timestamp
)
