-- Statistics for the planner, without waiting for autovacuum.
analyze public.warrior
