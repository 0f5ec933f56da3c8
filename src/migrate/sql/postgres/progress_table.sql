-- Progress of imports, one row for each file whose import has not finished. The table goes when an import has finished.
-- source:   a hash of the file, of its write-ahead log, and of the statement that reads it
-- position: rowid of the last row of the file that is done
-- rows:     rows that are done: stored, there already with equal content, and there with other content
-- examples: ids of the first rows with other content
create table if not exists public.warrior_import (
    source text primary key,
    position bigint not null,
    rows bigint not null,
    stored bigint not null,
    present bigint not null,
    other bigint not null,
    examples uuid[] not null
)
