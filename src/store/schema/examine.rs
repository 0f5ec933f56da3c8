//! Examination: the schema of a database compared with this program's, part by part, changing nothing. `schema status` and
//! the doctor tell what it finds.

use postgres::Client;
use postgres::error::SqlState;

use super::error::SchemaError;
use super::examination::{Compared, Examination};
use super::record::{self, NUMBER, Record};
use super::{
    drift, functions, indexes, locks, others, plain, retire, roles, shape, tables, triggers,
};

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
                found.reshaped = shape::reshaped(client)?;
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
    found.exposed = roles::exposed(client, &record::known(Some(record)))?;
    if same_functions {
        found.triggers = triggers::pending(record, existing);
    }
    Ok(())
}
