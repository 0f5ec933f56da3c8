-- What may refuse a warrior that the contract allows.
select constraint_text
  from duckdb_constraints()
 where database_name = current_database() and schema_name = 'main' and table_name = 'warrior'
   and constraint_type in ('CHECK', 'UNIQUE', 'FOREIGN KEY') and constraint_column_names <> ['id']
union all
select sql
  from duckdb_indexes()
 where database_name = current_database() and schema_name = 'main' and table_name = 'warrior' and is_unique
 order by 1
