-- The columns of warrior: the name of each; how it is written, where NOT NULL counts only if a row without a value has no form
-- in the contract; and whether it demands a value and has none of its own.
select column_name,
       column_name || ' ' || data_type || case when is_nullable or column_name = 'created_at' then '' else ' NOT NULL' end,
       (not is_nullable and column_default is null)::varchar
  from duckdb_columns()
 where database_name = current_database() and schema_name = 'main' and table_name = 'warrior'
 order by column_index
