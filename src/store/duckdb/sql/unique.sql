-- How many constraints keep the ids apart. Without one, a create that is repeated would be stored twice.
select count(*) from duckdb_constraints()
 where database_name = current_database() and schema_name = 'main' and table_name = 'warrior'
   and constraint_type in ('PRIMARY KEY', 'UNIQUE') and constraint_column_names = ['id']
