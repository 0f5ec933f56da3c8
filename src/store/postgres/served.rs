//! Schema detection: which of the two schemas the database has, and so which statements serve it.
//!
//! It is asked before the first statement that depends on the answer, with every probe, and again once a statement has missed
//! a table or a function. On the plain schema the flusher asks every few seconds, too ([`super::flusher`]): a create of
//! rows that an engine distributes does not tell whether others have put triggers on the table.

use std::mem;

use parking_lot::Mutex;
use postgres::Client;

const SERVED: &str = include_str!("../sql/served.sql");

/// The schema of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Served {
    /// Triggers and functions.
    Tuned,
    /// One table and ordinary indexes.
    Plain(Surroundings),
}

/// What the statements of the plain schema cannot tell by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Surroundings {
    /// A trigger or row-level security of others may change what a create stores.
    pub(super) others: bool,
    /// Commits wait for a standby.
    pub(super) standbys: bool,
    /// An insert may hold nothing but rows.
    pub(super) distributed: bool,
}

/// What was seen last; shared by the sessions of a store. None: no schema was there, or none was asked for yet.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<Option<Served>>);

// === impl Known ===

impl Known {
    pub(super) fn get(&self) -> Option<Served> {
        *self.0.lock()
    }

    pub(super) fn learn(&self, served: Option<Served>) {
        let before = mem::replace(&mut *self.0.lock(), served);
        if is_plain(served) && !is_plain(before) {
            tracing::info!(
                "the database has the plain schema: counts read every row, and searches for one or two characters may"
            );
        }
        if has_others(served) && !has_others(before) {
            tracing::warn!(
                "there is a trigger or row-level security on public.warrior: every create is looked up again before it \
                 is acknowledged; `warrior-api schema status` names it"
            );
        }
    }

    pub(super) fn forget(&self) {
        *self.0.lock() = None;
    }
}

fn is_plain(served: Option<Served>) -> bool {
    matches!(served, Some(Served::Plain(_)))
}

fn has_others(served: Option<Served>) -> bool {
    matches!(served, Some(Served::Plain(surroundings)) if surroundings.others)
}

/// Asks for the schema; none where there is none of ours. The tuned one where both are there.
pub(super) fn ask(client: &mut Client) -> Result<Option<Served>, postgres::Error> {
    let row = client.query_typed_one(SERVED, &[])?;
    if row.try_get("tuned")? {
        return Ok(Some(Served::Tuned));
    }
    if !row.try_get("plain")? {
        return Ok(None);
    }
    Ok(Some(Served::Plain(Surroundings {
        others: row.try_get("others")?,
        standbys: row.try_get("standbys")?,
        distributed: row.try_get("distributed")?,
    })))
}
