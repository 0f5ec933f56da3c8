//! The schema's number: one row of the table `warrior_schema`, which every apply writes and every `/ready` reads.

use postgres::Client;

use super::error::{Doing, SchemaError};

/// The number of the schema that this program needs. Raised by a release that changes `schema/`, so that a server refuses to
/// be ready on an older schema, and an older program refuses to replace a newer one.
pub(super) const NUMBER: i32 = 1;

/// Creates the table, for review.
pub(super) const CREATE: &str = include_str!("../sql/schema/record.sql");

/// What the database says of its schema.
#[derive(Debug)]
pub(super) struct Record {
    /// The number of the last apply that finished.
    pub(super) number: Option<i32>,
    /// The digest of the functions that are there.
    pub(super) digest: String,
    /// Their declarations.
    pub(super) functions: Vec<String>,
}

/// The schema's version that this program needs.
#[must_use]
pub fn current_version() -> i32 {
    NUMBER
}

/// The record, if any apply has come as far as the functions.
pub(super) fn read(client: &mut Client) -> Result<Option<Record>, SchemaError> {
    let doing = "asking for the schema's version";
    let present = client
        .query_one(include_str!("../sql/schema/record_present.sql"), &[])
        .doing(doing)?;
    if !present.get::<_, bool>("present") {
        return Ok(None);
    }
    let row = client
        .query_opt(include_str!("../sql/schema/recorded.sql"), &[])
        .doing(doing)?;
    Ok(row.map(|row| Record {
        number: row.get("number"),
        digest: row.get("digest"),
        functions: row.get("functions"),
    }))
}

/// Downgrade protection.
///
/// # Errors
/// [`SchemaError::Newer`]
pub(super) fn refuse_newer(recorded: Option<&Record>) -> Result<(), SchemaError> {
    match recorded.and_then(|record| record.number) {
        Some(applied) if applied > NUMBER => Err(SchemaError::Newer {
            applied,
            known: NUMBER,
        }),
        _ => Ok(()),
    }
}

/// Writes the number, once all of the schema is there.
pub(super) fn finish(client: &mut Client) -> Result<(), SchemaError> {
    client
        .execute(include_str!("../sql/schema/finished.sql"), &[&NUMBER])
        .doing("writing down the schema's version")?;
    Ok(())
}
