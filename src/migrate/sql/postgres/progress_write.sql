-- How far the import of a file has come, in the transaction that stores its rows.
insert into public.warrior_import (source, position, rows, stored, present, other, examples)
values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (source) do update
   set position = excluded.position, rows = excluded.rows, stored = excluded.stored, present = excluded.present,
       other = excluded.other, examples = excluded.examples
