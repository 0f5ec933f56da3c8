-- The statements that drop all connections to this database on PgBouncer's console, which takes no parameters, and let
-- new ones in.
select format('kill %I', current_database()) as kill, format('resume %I', current_database()) as resume
