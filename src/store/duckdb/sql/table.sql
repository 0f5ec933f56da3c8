-- The table of a new file: the one that the service before this one made.
create table warrior (
    id uuid primary key default uuid(),
    name varchar(100) not null,
    dob date not null,
    fight_skills varchar[] not null,
    created_at timestamptz default current_timestamp
)
