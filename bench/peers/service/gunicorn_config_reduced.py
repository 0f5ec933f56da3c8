"""The configuration that the guide names under "Rollback Plan" and does not show: fewer workers, since section 8 restores
their number, and a longer timeout, since it can be "reduced back". One worker, which is all that a file of DuckDB serves."""

workers = 1
timeout = 60
