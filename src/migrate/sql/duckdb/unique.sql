-- The columns that a constraint of their own keeps unique.
select schema_name, table_name, constraint_column_names[1]
  from duckdb_constraints()
 where database_name = current_database()
   and constraint_type in ('PRIMARY KEY', 'UNIQUE')
   and len(constraint_column_names) = 1
