-- Further columns of warrior that demand a value and have none of their own.
select column_name
  from duckdb_columns()
 where database_name = current_database() and schema_name = 'main' and table_name = 'warrior'
   and not is_nullable and column_default is null
   and column_name not in ('id', 'name', 'dob', 'fight_skills', 'created_at')
 order by column_index
