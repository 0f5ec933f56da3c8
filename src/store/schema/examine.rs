//! Examination: the schema of a database compared with this program's, part by part, changing nothing. `schema status` and
//! the doctor tell what it finds.

use postgres::Client;
use postgres::error::SqlState;

use super::super::drift::Drift;
use super::error::{Doing, SchemaError};
use super::record::{self, NUMBER, Record};
use super::{
    drift, functions, indexes, locks, others, plain, retire, roles, shape, tables, triggers,
};
use crate::store::SchemaKind;

/// What was found, each as a sentence.
#[derive(Debug, Default)]
pub(crate) struct Examination {
    /// Which schema it is; the tuned one where there is none.
    pub(crate) schema: SchemaKind,
    /// The version that the database has; `None` when no apply has finished.
    pub(crate) applied: Option<i32>,
    /// Whether an apply was begun that has not finished.
    pub(crate) begun: bool,
    /// A newer program was here.
    pub(crate) newer: Option<String>,
    /// The table is no longer as the migrations left it.
    pub(crate) reshaped: Option<String>,
    /// Migrations that were not applied.
    pub(crate) migrations: Vec<String>,
    /// Whether the list of migrations is hidden from the role of this session.
    pub(crate) history_hidden: bool,
    /// Functions that are missing, or not those of this program.
    pub(crate) functions: Vec<String>,
    /// The function under an index is another one.
    pub(crate) indexed_function: Option<String>,
    /// Indexes that are missing or not valid.
    pub(crate) indexes: Vec<String>,
    /// Indexes under our names that are others.
    pub(crate) other_indexes: Vec<String>,
    /// What every role may use, though only the owner should.
    pub(crate) exposed: Vec<String>,
    /// The triggers, or what they fill, are not those of this program.
    pub(crate) triggers: Option<String>,
    /// The last apply was cut off at its end.
    pub(crate) unfinished: Option<String>,
    /// The role that serves requests is not there.
    pub(crate) no_role: Option<String>,
    /// What others have put on the table, beside which the service cannot work.
    pub(crate) obstacles: Vec<String>,
    /// What others have put on the table, and functions of an older program.
    pub(crate) notes: Vec<String>,
    /// The table beside what its triggers keep.
    pub(crate) compared: Compared,
}

/// The comparison of the table with what its triggers keep.
#[derive(Debug, Default)]
pub(crate) enum Compared {
    /// There is no schema that could be compared.
    #[default]
    Absent,
    /// Other sessions hold the table: these.
    Held(String),
    /// What it found.
    Drift(Drift),
    /// PostgreSQL refused it, or it took longer than this session allows.
    Failed(SchemaError),
}

/// Examines the schema for the role `runtime`; the rows are counted where there are at most `count_rows_max`.
///
/// # Errors
/// When the database cannot be asked, or has the schema of another program.
pub(crate) fn examine(
    client: &mut Client,
    runtime: &str,
    count_rows_max: i64,
) -> Result<Examination, SchemaError> {
    if let Some(plain) = plain::read(client)? {
        return plain::examine(client, runtime, &plain);
    }
    let recorded = record::read(client)?;
    let mut found = Examination {
        applied: recorded.as_ref().and_then(|record| record.number),
        ..Examination::default()
    };
    let tables = match tables::applied(client) {
        Err(e) if e.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => None,
        applied => Some(applied?),
    };
    found.history_hidden = tables.is_none();
    let existing = functions::existing(client)?;
    let known = record::refuse_newer(recorded.as_ref())
        .and_then(|()| tables::compare(client, tables.as_deref().unwrap_or_default()));
    match known {
        // What a newer program needs is not known here.
        Err(e @ (SchemaError::NewerTables { .. } | SchemaError::Newer { .. })) => {
            found.newer = Some(e.to_string());
        }
        Err(e) => return Err(e),
        Ok(()) => {
            let missing = tables.as_deref().map(tables::pending).unwrap_or_default();
            if missing.is_empty() {
                found.reshaped = reshaped(client)?;
            }
            let missing = missing.iter();
            found.migrations = missing
                .map(|m| format!("migration {m} is not applied"))
                .collect();
            found.functions = functions::pending(recorded.as_ref(), &existing);
        }
    }
    found.indexed_function = functions::check_indexed(&existing)
        .err()
        .map(|e| e.to_string());
    if let Some(record) = &recorded {
        recorded_parts(client, record, &existing, &mut found)?;
    }
    found.begun = recorded.is_some() && found.applied.is_none()
        || recorded.is_none() && tables.is_some_and(|tables| !tables.is_empty());
    let unfinished = found.begun || found.applied.is_some_and(|number| number < NUMBER);
    if unfinished && found.newer.is_none() && !found.is_pending() {
        found.unfinished = Some("the last apply has not finished".to_owned());
    }
    found.no_role = roles::missing(client, runtime)?;
    let others = others::look(client)?;
    found.obstacles = others.obstacles;
    found.notes.extend(others.notes);
    if let Some(record) = recorded
        .as_ref()
        .filter(|record| !record.superseded.is_empty())
    {
        found.notes.push(retire::note(&record.superseded));
    }
    if found.applied.is_some() && functions::has_drift(&existing) {
        found.compared = match drift::look(client, count_rows_max) {
            Ok(Some(drift)) => Compared::Drift(drift),
            Ok(None) => Compared::Held(locks::holders(client)?),
            Err(e) => Compared::Failed(e),
        };
    }
    Ok(found)
}

impl Examination {
    /// Whether something stands between the database and this program that an apply would do.
    fn is_pending(&self) -> bool {
        let parts = [
            &self.migrations,
            &self.functions,
            &self.indexes,
            &self.exposed,
        ];
        parts.into_iter().any(|part| !part.is_empty()) || self.triggers.is_some()
    }
}

/// What depends on what an apply has written down.
fn recorded_parts(
    client: &mut Client,
    record: &Record,
    existing: &[functions::Function],
    found: &mut Examination,
) -> Result<(), SchemaError> {
    let same_functions =
        found.newer.is_none() && found.migrations.is_empty() && found.functions.is_empty();
    let there = indexes::existing(client)?;
    found.indexes = indexes::wanting(&indexes::INDEXES, &there);
    found.other_indexes = indexes::differing(&indexes::INDEXES, &there);
    found.exposed = exposed(client, &record::known(Some(record)))?;
    if same_functions {
        found.triggers = triggers::pending(record, existing);
    }
    Ok(())
}

fn reshaped(client: &mut Client) -> Result<Option<String>, SchemaError> {
    match shape::check(client) {
        Ok(()) => Ok(None),
        Err(e @ SchemaError::Reshaped(_)) => Ok(Some(e.to_string())),
        Err(e) => Err(e),
    }
}

/// What every role may use, though only the owner should.
pub(super) fn exposed(client: &mut Client, functions: &[&str]) -> Result<Vec<String>, SchemaError> {
    let rows = client
        .query(include_str!("../sql/schema/exposed.sql"), &[&functions])
        .doing("reading who may call the functions")?;
    let name = |row: &postgres::Row| format!("every role may use {}", row.get::<_, &str>("name"));
    Ok(rows.iter().map(name).collect())
}
