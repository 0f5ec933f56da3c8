-- The exact number of warriors, which DuckDB keeps for each group of rows.
select count(*) from warrior
