//! Bulk loading: what the schema does before and after many rows are added at once.
//!
//! Search indexes are the greatest part of what a row costs. Into an empty table rows are loaded without them, and they are
//! built once at the end. A kill in between leaves them missing, which [`finish_load`] of the next run mends, and `schema
//! apply`, too; until then searches read the whole table.

use postgres::Client;

use super::error::{Doing, SchemaError};
use super::record::{self, NUMBER};
use super::{direct, exclusive, indexes, owners, plain};

/// Prepares the session for a load, and takes the lock of the schema commands until the session ends: no other load, and no
/// `schema apply`, runs beside it. `going_on` says whether to wait for it; whether it was taken is the answer.
///
/// # Errors
/// When the connection is not direct, or the schema is not there.
pub fn begin_load(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
    going_on: &mut dyn FnMut() -> bool,
) -> Result<bool, SchemaError> {
    direct::prepare(client)?;
    owners::check(client)?;
    plain::refuse(client, SchemaError::NoLoad)?;
    let applied = record::read(client)?.and_then(|record| record.number);
    if applied.is_none_or(|number| number < NUMBER) {
        return Err(SchemaError::TooOld {
            applied,
            needed: NUMBER,
        });
    }
    exclusive::lock(client, progress, going_on)
}

/// Drops the search indexes of a table without rows, and says whether it has none now.
///
/// # Errors
/// When PostgreSQL refuses.
pub fn defer_indexes(client: &mut Client) -> Result<bool, SchemaError> {
    let empty = client
        .query_one(include_str!("../sql/schema/empty.sql"), &[])
        .doing("looking whether public.warrior has rows")?;
    if !empty.get::<_, bool>("empty") {
        return Ok(false);
    }
    indexes::drop_all(client)?;
    Ok(true)
}

/// Whether all search indexes are there, so that rows which are added wait in their pending lists.
///
/// # Errors
/// When PostgreSQL cannot be asked.
pub fn has_indexes(client: &mut Client) -> Result<bool, SchemaError> {
    let found = indexes::existing(client)?;
    Ok(indexes::wanting(&indexes::INDEXES, &found).is_empty())
}

/// Builds the search indexes that are missing, flushes the pending lists of the others, and has the rows counted for the
/// planner. `going_on` says after each index whether to; whether all is done is the answer.
///
/// # Errors
/// When PostgreSQL refuses; the next call goes on.
pub fn finish_load(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
    going_on: &mut dyn FnMut() -> bool,
) -> Result<bool, SchemaError> {
    for index in &indexes::INDEXES {
        if !going_on() {
            return Ok(false);
        }
        indexes::build_one(client, index, progress)?;
    }
    if !going_on() {
        return Ok(false);
    }
    flush_load(client)?;
    client
        .batch_execute(include_str!("../sql/schema/analyze.sql"))
        .doing("analyzing public.warrior")?;
    Ok(true)
}

/// Flushes the pending lists of the search indexes, so that they do not grow with the load.
///
/// # Errors
/// When PostgreSQL refuses.
pub fn flush_load(client: &mut Client) -> Result<(), SchemaError> {
    client
        .batch_execute(include_str!("../sql/schema/flush_load.sql"))
        .doing("flushing the search indexes")
}
