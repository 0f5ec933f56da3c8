-- What grants.sql does on an empty database, in the SQL of every engine. For the roles of postgres-conf/roles.sql: write your
-- own role in place of warrior, and leave warrior_monitor out where it is not there.
revoke all on public.warrior_secret from public;
grant select, insert on public.warrior to warrior;
grant select on public.warrior_secret, public.warrior_plain to warrior;
grant select on public.warrior, public.warrior_plain to warrior_monitor;
