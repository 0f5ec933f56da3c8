//! Versioned migrations: the files of `schema/tables`, each run once by refinery, in the order of their versions.

use postgres::Client;
use refinery::{Migration, Target};

use super::error::{Doing, SchemaError};

mod embedded {
    refinery::embed_migrations!("schema/tables");
}

/// A line of a file's header: the file locks the table's writers out for a moment.
const LOCKS_WRITERS: &str = "-- locks writers";
/// A line of a file's header: the file calls functions, so the functions have to be there before it.
const CALLS_FUNCTIONS: &str = "-- calls functions";

/// All files, by version.
pub(super) fn all() -> Vec<Migration> {
    let mut all = embedded::migrations::runner().get_migrations().clone();
    all.sort();
    all
}

/// The files that were run on this database, by version.
pub(super) fn applied(client: &mut Client) -> Result<Vec<Migration>, SchemaError> {
    let present = client
        .query_one(include_str!("../sql/schema/history.sql"), &[])
        .doing("looking for applied migrations")?;
    if !present.get::<_, bool>("present") {
        return Ok(Vec::new());
    }
    embedded::migrations::runner()
        .get_applied_migrations(client)
        .map_err(|e| SchemaError::Migration {
            doing: "reading the applied migrations".to_owned(),
            source: Box::new(e),
        })
}

/// The files that were not run.
pub(super) fn pending(applied: &[Migration]) -> Vec<Migration> {
    let last = applied.last().map(Migration::version);
    let mut all = all();
    all.retain(|m| last.is_none_or(|version| m.version() > version));
    all
}

/// Those that run before the functions are there, and those that run after.
pub(super) fn around_functions(mut files: Vec<Migration>) -> (Vec<Migration>, Vec<Migration>) {
    let first_call = files.iter().position(|m| has_mark(m, CALLS_FUNCTIONS));
    let after = files.split_off(first_call.unwrap_or(files.len()));
    (files, after)
}

/// Whether a file locks the table's writers out for a moment.
pub(super) fn locks_writers(migration: &Migration) -> bool {
    has_mark(migration, LOCKS_WRITERS)
}

/// Runs the next file.
pub(super) fn run(client: &mut Client, migration: &Migration) -> Result<(), SchemaError> {
    let target = Target::Version(migration.version());
    embedded::migrations::runner()
        .set_target(target)
        .run(client)
        .map(drop)
        .map_err(|e| SchemaError::Migration {
            doing: format!("running the migration {migration}"),
            source: Box::new(e),
        })
}

/// Compares the files that were run with those of this program, in their order.
///
/// # Errors
/// [`SchemaError::Earlier`], [`SchemaError::Foreign`] or [`SchemaError::NewerTables`], by the first that differs.
pub(super) fn compare(client: &mut Client, applied: &[Migration]) -> Result<(), SchemaError> {
    let all = all();
    for (place, there) in applied.iter().enumerate() {
        let applied = there.to_string();
        match all.get(place) {
            Some(ours) if ours == there => {}
            Some(ours) if ours.to_string() == applied => return Err(earlier(client, applied)?),
            Some(_) => return Err(SchemaError::Foreign { applied }),
            None => return Err(SchemaError::NewerTables { applied }),
        }
    }
    Ok(())
}

fn earlier(client: &mut Client, applied: String) -> Result<SchemaError, SchemaError> {
    let whoami = client
        .query_one(include_str!("../sql/schema/whoami.sql"), &[])
        .doing("asking for the database's name")?;
    Ok(SchemaError::Earlier {
        applied,
        dbname: whoami.get(1),
    })
}

fn has_mark(migration: &Migration, mark: &str) -> bool {
    let sql = migration.sql().unwrap_or_default();
    sql.lines()
        .take_while(|line| line.starts_with("--"))
        .any(|line| line == mark)
}
