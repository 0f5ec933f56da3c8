copy pg_temp.warrior_import_chunk from stdin (format binary)
