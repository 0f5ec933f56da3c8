-- The columns of the tables of the file that was opened.
select schema_name, table_name, column_name, data_type
  from duckdb_columns()
 where database_name = current_database()
 order by 1, 2, column_index
