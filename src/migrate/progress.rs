//! Progress of an import in the database, committed together with the rows: whatever ends an import, the same command goes
//! on where the last commit was.

use postgres::{Client, Transaction};
use uuid::Uuid;

use super::error::{Doing, MigrateError};

/// Most ids of rows with other content that are kept for the summary.
const EXAMPLES_MAX: usize = 20;

/// What was done of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// The place in the file of the last row.
    pub(super) position: Option<i64>,
    /// Rows of the file that were taken.
    pub rows: u64,
    /// Those that were stored.
    pub stored: u64,
    /// Those that were there already, with equal content.
    pub present: u64,
    /// Those whose id was there with other content, which stays.
    pub other: u64,
    /// The ids of the first of these.
    pub examples: Vec<Uuid>,
}

impl Done {
    /// Adds ids of rows with other content, as far as there is room.
    pub(super) fn add_examples(&mut self, ids: Vec<Uuid>) {
        let room = EXAMPLES_MAX.saturating_sub(self.examples.len());
        self.examples.extend(ids.into_iter().take(room));
    }
}

/// What an earlier run says that it has done.
pub(super) fn read(client: &mut Client, source: &str) -> Result<Option<Done>, MigrateError> {
    let doing = "reading how far the import has come";
    let present = client
        .query_one(include_str!("sql/postgres/progress_present.sql"), &[])
        .doing(doing)?;
    if !present.get::<_, bool>("present") {
        return Ok(None);
    }
    let sql = include_str!("sql/postgres/progress_read.sql");
    let row = client.query_opt(sql, &[&source]).doing(doing)?;
    Ok(row.map(|row| {
        let number = |column: &str| u64::try_from(row.get::<_, i64>(column)).unwrap_or(0);
        Done {
            position: Some(row.get("position")),
            rows: number("rows"),
            stored: number("stored"),
            present: number("present"),
            other: number("other"),
            examples: row.get("examples"),
        }
    }))
}

/// Makes the table.
pub(super) fn begin(client: &mut Client) -> Result<(), MigrateError> {
    client
        .batch_execute(include_str!("sql/postgres/progress_table.sql"))
        .doing("creating the table public.warrior_import")
}

pub(super) fn write(
    transaction: &mut Transaction<'_>,
    source: &str,
    done: &Done,
) -> Result<(), MigrateError> {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    transaction
        .execute(
            include_str!("sql/postgres/progress_write.sql"),
            &[
                &source,
                &done.position.unwrap_or(i64::MIN),
                &number(done.rows),
                &number(done.stored),
                &number(done.present),
                &number(done.other),
                &done.examples,
            ],
        )
        .doing("writing down how far the import has come")?;
    Ok(())
}

/// Removes what was written, that of other files, too: one import runs at a time, and what another one left begins anew.
pub(super) fn forget(client: &mut Client) -> Result<(), MigrateError> {
    client
        .batch_execute(include_str!("sql/postgres/progress_drop.sql"))
        .doing("removing the progress of the import")
}
