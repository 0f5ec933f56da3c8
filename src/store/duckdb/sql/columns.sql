-- The columns of warrior that are served, each as "name type", in the order of the contract; NOT NULL only where a row
-- without a value has no form there.
select column_name || ' ' || data_type
       || case when is_nullable or column_name = 'created_at' then '' else ' NOT NULL' end as written
  from duckdb_columns()
 where database_name = current_database() and schema_name = 'main' and table_name = 'warrior'
   and column_name in ('id', 'name', 'dob', 'fight_skills', 'created_at')
 order by list_position(['id', 'name', 'dob', 'fight_skills', 'created_at'], column_name)
