-- The tables of the file that was opened.
select schema_name, table_name
  from duckdb_tables()
 where database_name = current_database() and not temporary
 order by 1, 2
