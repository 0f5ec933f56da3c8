//! Deferred drop: functions of an older program go once no transaction is left that may call them.
//!
//! A transaction that began after the new functions were committed sees those. Older ones are waited for as `create index
//! concurrently` waits, though not for ever: what is left is dropped by the next apply.

use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;
use postgres::error::SqlState;

use super::error::{Doing, SchemaError};
use super::record;

/// Longest wait for transactions that are older than the new functions.
const OLDER_TRANSACTIONS_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause between two looks at the transactions.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Drops what waits to be dropped, without `cascade`. Gives a note for each function that stays.
pub(super) fn drop_superseded(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
) -> Result<Vec<String>, SchemaError> {
    let waiting = record::read(client)?.map_or_else(Vec::new, |record| record.superseded);
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    if !older_transactions_ended(client, progress)? {
        return Ok(vec![note(&waiting)]);
    }
    let (mut notes, mut stay) = (Vec::new(), Vec::new());
    for signature in waiting {
        let dropped = client
            .batch_execute(&format!("drop function if exists {signature}"))
            .doing(&format!(
                "dropping {signature}, a function of an older program"
            ));
        match dropped {
            Err(e) if e.code() == Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST) => {
                notes.push(e.to_string());
                stay.push(signature);
            }
            other => other?,
        }
    }
    record::write_superseded(client, &stay)?;
    Ok(notes)
}

/// What the operator should know of functions that wait to be dropped.
pub(super) fn note(waiting: &[String]) -> String {
    format!(
        "functions of an older program are dropped by a later `warrior-api schema apply`, once no older transaction may \
         call them: {}",
        waiting.join(", ")
    )
}

fn older_transactions_ended(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
) -> Result<bool, SchemaError> {
    let started = Instant::now();
    let mut older = running(client)?;
    if !older.is_empty() {
        progress(format!(
            "waiting for {} transactions that may call functions of an older program",
            older.len()
        ));
    }
    while !older.is_empty() {
        if started.elapsed() > OLDER_TRANSACTIONS_TIMEOUT {
            return Ok(false);
        }
        thread::sleep(POLL_INTERVAL);
        let now = running(client)?;
        older.retain(|id| now.contains(id));
    }
    Ok(true)
}

fn running(client: &mut Client) -> Result<Vec<String>, SchemaError> {
    let row = client
        .query_one(include_str!("../sql/schema/transactions.sql"), &[])
        .doing("reading which transactions run")?;
    Ok(row.get("running"))
}
