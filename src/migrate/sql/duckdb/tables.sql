-- The tables and views of the file that was opened.
select schema_name, table_name, 'table' as kind
  from duckdb_tables()
 where database_name = current_database() and not temporary
union all
select schema_name, view_name, 'view'
  from duckdb_views()
 where database_name = current_database() and not temporary and not internal
 order by 1, 2
