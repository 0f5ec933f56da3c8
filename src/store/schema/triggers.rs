//! Statement triggers of `warrior`, and the fill of count and dictionaries that follows when rows were written without them.

use std::time::{Duration, Instant};

use postgres::Client;

use super::error::{Doing, SchemaError};
use super::functions::Function;
use super::record::{self, Record};
use super::{functions, locks, tables};

/// Creates the triggers, for review.
pub(super) const MEND: &str = include_str!("../sql/schema/mend_triggers.sql");
/// Fills count and dictionaries, for review.
pub(super) const FILL: &str = include_str!("../sql/schema/recount.sql");

/// Creates the triggers where they are missing, do not fire always, or were created by another definition. Gives the
/// longest time that writers may have been locked out.
pub(super) fn create(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
) -> Result<Duration, SchemaError> {
    let existing = functions::existing(client)?;
    let definition = functions::triggers_fingerprint(&existing);
    let recorded = record::read(client)?.and_then(|record| record.triggers);
    if recorded.as_deref() == definition && are_in_order(client)? {
        return Ok(Duration::ZERO);
    }
    let doing = "creating the triggers of public.warrior";
    let took = locks::locked(client, progress, |client| {
        let mut transaction = client.transaction().doing(doing)?;
        transaction.query(MEND, &[]).doing(doing)?;
        record::write_triggers(&mut transaction, definition)?;
        transaction.commit().doing(doing)
    })?;
    progress(format!("created the triggers in {} ms", took.as_millis()));
    Ok(took)
}

fn are_in_order(client: &mut Client) -> Result<bool, SchemaError> {
    let doing = "looking at the triggers of public.warrior";
    let row = client
        .query_one(include_str!("../sql/schema/triggers_in_order.sql"), &[])
        .doing(doing)?;
    row.try_get("in_order").doing(doing)
}

/// Fills count and dictionaries once after the triggers were created, and after each new table file, which may bring a
/// dictionary. A transaction of its own, so that the triggers' lock on writers is not held while the table is read.
pub(super) fn fill(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
) -> Result<(), SchemaError> {
    let recorded = record::read(client)?;
    if recorded.as_ref().is_none_or(|record| !is_filled(record)) {
        locks::set_lock_timeout(client, Duration::ZERO)?;
        let started = Instant::now();
        client
            .query(FILL, &[])
            .doing("filling the count and the dictionaries")?;
        record::write_filled(client, tables::last())?;
        progress(format!(
            "filled the count and the dictionaries in {} ms",
            started.elapsed().as_millis()
        ));
    }
    Ok(())
}

/// What an apply would do to them, as far as the version record tells.
pub(super) fn pending(record: &Record, existing: &[Function]) -> Option<String> {
    if record.triggers.as_deref() != functions::triggers_fingerprint(existing) {
        return Some("the triggers are not those of this program".to_owned());
    }
    (!is_filled(record)).then(|| "the count and the dictionaries are not filled".to_owned())
}

fn is_filled(record: &Record) -> bool {
    record.filled == Some(tables::last())
}
