select rolname::text, rolpassword
from pg_authid
where rolname = any($1::text[])
order by rolname
