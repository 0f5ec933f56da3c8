//! Schema detection: which of the two schemas the database has, and so which statements serve it.
//!
//! It is asked before the first statement that depends on the answer, with every probe, and again once a statement has missed
//! a table or a function. On the plain schema the flusher asks every few seconds, too ([`super::flusher`]): a create of
//! rows that an engine distributes does not tell whether others have put triggers on the table.

use std::sync::atomic::{AtomicU8, Ordering};

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

/// What was seen last; shared by the sessions of a store.
#[derive(Debug, Default)]
pub(super) struct Known(AtomicU8);

const UNKNOWN: u8 = 0;
const TUNED: u8 = 1;
const PLAIN: u8 = 2;
const OTHERS: u8 = 4;
const STANDBYS: u8 = 8;
const DISTRIBUTED: u8 = 16;

// === impl Known ===

impl Known {
    pub(super) fn get(&self) -> Option<Served> {
        match self.0.load(Ordering::Relaxed) {
            UNKNOWN => None,
            TUNED => Some(Served::Tuned),
            plain => Some(Served::Plain(Surroundings {
                others: plain & OTHERS != 0,
                standbys: plain & STANDBYS != 0,
                distributed: plain & DISTRIBUTED != 0,
            })),
        }
    }

    /// None: no schema is there yet.
    pub(super) fn learn(&self, served: Option<Served>) {
        let code = match served {
            None => UNKNOWN,
            Some(Served::Tuned) => TUNED,
            Some(Served::Plain(Surroundings {
                others,
                standbys,
                distributed,
            })) => {
                let others = if others { OTHERS } else { 0 };
                let standbys = if standbys { STANDBYS } else { 0 };
                let distributed = if distributed { DISTRIBUTED } else { 0 };
                PLAIN | others | standbys | distributed
            }
        };
        let before = self.0.swap(code, Ordering::Relaxed);
        if before & PLAIN == 0 && code & PLAIN != 0 {
            tracing::info!(
                "the database has the plain schema: counts read every row, and searches for one or two characters may"
            );
        }
        if before & OTHERS == 0 && code & OTHERS != 0 {
            tracing::warn!(
                "there is a trigger or row-level security on public.warrior: every create is looked up again before it \
                 is acknowledged; see psql's `\\d public.warrior`"
            );
        }
    }

    pub(super) fn forget(&self) {
        self.0.store(UNKNOWN, Ordering::Relaxed);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_known_until_it_is_forgotten() {
        let known = Known::default();
        assert_eq!(known.get(), None);
        for bits in 0..8_u8 {
            let served = Served::Plain(Surroundings {
                others: bits & 1 != 0,
                standbys: bits & 2 != 0,
                distributed: bits & 4 != 0,
            });
            known.learn(Some(served));
            assert_eq!(known.get(), Some(served));
        }
        known.learn(Some(Served::Tuned));
        assert_eq!(known.get(), Some(Served::Tuned));
        known.learn(None);
        assert_eq!(known.get(), None);
        known.learn(Some(Served::Tuned));
        known.forget();
        assert_eq!(known.get(), None);
    }
}
