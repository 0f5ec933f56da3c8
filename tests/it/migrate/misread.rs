//! Rows that come otherwise than they were looked at: the import ends, and a place in the file means nothing any more.

use warrior_api::migrate::import::Import;
use warrior_api::migrate::progress::Done;
use warrior_api::migrate::source::Source;
use warrior_api::migrate::{Connection, MigrateError};
use warrior_api::store::schema;
use warrior_duckdb::{Access, Library};

use super::{DuckFile, assert_whole, ended, import, number};
use crate::support::{Fresh, fresh_database};

/// A chunk, which is committed, and half of another.
const ROWS: u32 = 30_000;
const KEY: &str = "the key of the test";

/// Imports what `change` makes of the file after it was looked at, of which `rows` are expected.
fn misread(
    file: &DuckFile,
    database: &Fresh,
    change: impl FnOnce(&mut Connection),
    rows: u64,
) -> MigrateError {
    let library = Library::find(Some(&super::file::library())).unwrap();
    let opened = library.open(&file.path(), Access::Write, &[]).unwrap();
    let (mut connection, mut owner) = (opened.connect().unwrap(), database.owner());
    schema::begin_load(&mut owner, &mut |_| {}, &mut || true).unwrap();
    let source =
        Source::find(&mut connection, &super::check::arguments(&file.path(), &[])).unwrap();
    connection.run("begin transaction").unwrap();
    change(&mut connection);
    let mut copy = Import {
        source: &source,
        file: &mut connection,
        owner: &mut owner,
        key: KEY,
        rows,
        dry_run: false,
    };
    copy.run(Done::default(), &mut |_| {}, &mut |_| true)
        .unwrap_err()
}

/// What was stored stays, the progress does not, and the command begins anew.
fn assert_forgotten(file: &DuckFile, database: &Fresh, stored: i64) {
    let mut owner = database.owner();
    assert_eq!(number(&mut owner, "select count(*) from warrior"), stored);
    let progress = "select count(*) from pg_class where relname = 'warrior_import'";
    assert_eq!(number(&mut owner, progress), 0);
    let anew = ended(&mut import(file, &database.owner_login()), 0);
    let told = format!("{stored} were there already, 0 have other content");
    assert!(anew.out.contains(&told), "{}", anew.out);
    assert_whole(file, &mut owner);
}

#[test]
fn rows_in_another_order_are_not_taken_and_the_progress_is_forgotten() {
    let (file, database) = (DuckFile::with_many(ROWS), fresh_database());
    // The name of the table leads to rows whose places go down in the second chunk.
    let disorder = |connection: &mut Connection| {
        connection
            .run("alter table warrior rename to there")
            .unwrap();
        let view = "create view warrior as select case when r < 25000 then r else -r end as rowid, * exclude (r) \
                    from (select rowid as r, * from there)";
        connection.run(view).unwrap();
    };
    let error = misread(&file, &database, disorder, ROWS.into());
    assert!(matches!(error, MigrateError::Disorder), "{error}");
    assert_forgotten(&file, &database, 20_000);
}

#[test]
fn fewer_rows_than_were_looked_at_are_no_end_and_the_progress_is_forgotten() {
    let (file, database) = (DuckFile::with_many(ROWS), fresh_database());
    let error = misread(&file, &database, |_| {}, u64::from(ROWS) + 1);
    let expected = MigrateError::Incomplete {
        rows: ROWS.into(),
        of: u64::from(ROWS) + 1,
    };
    assert_eq!(error.to_string(), expected.to_string());
    assert_forgotten(&file, &database, ROWS.into());
}
