//! Schema versioning: one number, in one row of the table `warrior_schema`, which every apply writes and every `/ready`
//! reads. Beside it stands what an apply has done so far.

use postgres::{Client, Row, Transaction};

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
    /// The number of the program that created the functions.
    pub(super) functions_number: i32,
    /// The digest of the text that created them.
    pub(super) digest: String,
    /// Their signatures.
    pub(super) functions: Vec<String>,
    /// Their fingerprints, in the same order.
    pub(super) fingerprints: Vec<String>,
    /// Signatures of an older program's functions, which wait for the next number to be dropped.
    pub(super) superseded: Vec<String>,
    /// The fingerprint of the definition that created the triggers.
    pub(super) triggers: Option<String>,
    /// The last table file when count and dictionaries were filled.
    pub(super) filled: Option<i32>,
}

/// The schema's version that this program needs.
#[must_use]
pub fn current_version() -> i32 {
    NUMBER
}

/// The record, if any apply has come as far as the functions.
///
/// # Errors
/// Where it lacks a column: [`SchemaError::Newer`] by a number that is there, [`SchemaError::Earlier`] where what it has is
/// ours, else [`SchemaError::OtherRecord`].
pub(super) fn read(client: &mut Client) -> Result<Option<Record>, SchemaError> {
    let doing = "asking for the schema's version";
    let present = client
        .query_one(include_str!("../sql/schema/record_present.sql"), &[])
        .doing(doing)?;
    if !present.get::<_, bool>("present") {
        return Ok(None);
    }
    if !present.get::<_, bool>("readable") {
        return Err(unreadable(client, &present)?);
    }
    let row = client
        .query_opt(include_str!("../sql/schema/recorded.sql"), &[])
        .doing(doing)?;
    Ok(row.map(|row| Record {
        number: row.get("number"),
        digest: row.get("digest"),
        functions_number: row.get("functions_number"),
        functions: row.get("functions"),
        fingerprints: row.get("fingerprints"),
        superseded: row.get("superseded"),
        triggers: row.get("triggers"),
        filled: row.get("filled"),
    }))
}

/// What a record says that lacks a column of ours: a newer program may have given it up, as an earlier build may not have
/// had it yet.
fn unreadable(client: &mut Client, present: &Row) -> Result<SchemaError, SchemaError> {
    let highest: Option<i32> = client
        .query_one(include_str!("../sql/schema/highest_number.sql"), &[])
        .doing("asking for the schema's version")?
        .get("highest");
    let strange: Vec<String> = present.get("strange");
    Ok(match highest {
        Some(applied) if applied > NUMBER => SchemaError::Newer {
            applied,
            known: NUMBER,
        },
        _ if strange.is_empty() => SchemaError::Earlier {
            what: "table public.warrior_schema".to_owned(),
            dbname: present.get("dbname"),
        },
        _ => SchemaError::OtherRecord(strange),
    })
}

/// Downgrade protection.
///
/// # Errors
/// [`SchemaError::Newer`]
pub(super) fn refuse_newer(recorded: Option<&Record>) -> Result<(), SchemaError> {
    refuse_newer_number(
        recorded.map(|record| record.functions_number.max(record.number.unwrap_or(0))),
    )
}

/// As [`refuse_newer`], by the number of the last apply of either schema.
pub(super) fn refuse_newer_number(number: Option<i32>) -> Result<(), SchemaError> {
    match number {
        Some(applied) if applied > NUMBER => Err(SchemaError::Newer {
            applied,
            known: NUMBER,
        }),
        _ => Ok(()),
    }
}

/// The functions that programs of ours have created here, by signature.
pub(super) fn known(recorded: Option<&Record>) -> Vec<&str> {
    recorded.map_or_else(Vec::new, |record| {
        let all = record.functions.iter().chain(&record.superseded);
        all.map(String::as_str).collect()
    })
}

/// Writes what was created from a text of this digest, by signature and fingerprint, in the transaction that has created it.
pub(super) fn write_functions(
    transaction: &mut Transaction,
    digest: &str,
    created: &[(&str, &str)],
    superseded: &[&str],
    some_were_missing: bool,
) -> Result<(), SchemaError> {
    let (signatures, fingerprints): (Vec<&str>, Vec<&str>) = created.iter().copied().unzip();
    transaction
        .execute(
            include_str!("../sql/schema/record_functions.sql"),
            &[
                &NUMBER,
                &digest,
                &signatures,
                &fingerprints,
                &superseded,
                &some_were_missing,
            ],
        )
        .doing("writing down the functions")?;
    Ok(())
}

/// Writes what still waits to be dropped.
pub(super) fn write_superseded(client: &mut Client, waiting: &[String]) -> Result<(), SchemaError> {
    client
        .execute(
            include_str!("../sql/schema/record_superseded.sql"),
            &[&waiting],
        )
        .doing("writing down the functions of an older program")?;
    Ok(())
}

/// Writes which definition has created the triggers, and that a fill has to follow.
pub(super) fn write_triggers(
    transaction: &mut Transaction,
    definition: Option<&str>,
) -> Result<(), SchemaError> {
    transaction
        .execute(
            include_str!("../sql/schema/record_triggers.sql"),
            &[&definition],
        )
        .doing("writing down the triggers")?;
    Ok(())
}

/// Writes that count and dictionaries were filled after this table file.
pub(super) fn write_filled(client: &mut Client, version: i32) -> Result<(), SchemaError> {
    client
        .execute(include_str!("../sql/schema/record_filled.sql"), &[&version])
        .doing("writing down the fill")?;
    Ok(())
}

/// Writes the number, once all of the schema is there.
pub(super) fn finish(client: &mut Client) -> Result<(), SchemaError> {
    client
        .execute(include_str!("../sql/schema/finished.sql"), &[&NUMBER])
        .doing("writing down the schema's version")?;
    Ok(())
}
