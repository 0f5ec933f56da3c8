-- One setting: the value that PostgreSQL was built with, its unit, and what a change of it takes. $1: its name.
select context, boot_val as default_value, unit
  from pg_settings
 where name = $1
