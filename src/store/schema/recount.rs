//! `schema recount`: repairs what the triggers keep, while writers go on.

use std::fmt;
use std::time::Duration;

use postgres::Client;

use super::error::{Doing, SchemaError};
use super::record::{self, NUMBER};
use super::triggers::{FILL, MEND};
use super::{direct, drift, exclusive, functions, locks, others, owners, plain};

/// What `recount` repaired.
#[derive(Debug, PartialEq, Eq)]
pub struct Recounted {
    /// Triggers that were missing, or did not fire always.
    pub triggers_mended: Vec<String>,
    /// The count as it was kept.
    pub before: i64,
    /// The count as it is.
    pub after: i64,
    /// Skills that the dictionary lacked.
    pub skills_added: i64,
    /// Letters of names and skills that were not listed.
    pub letters_added: i64,
}

/// Makes the triggers, the count and the dictionaries what they should be again; writers go on meanwhile, but for the
/// moment that a missing trigger takes.
///
/// # Errors
/// When the schema is not there, or the database refuses.
pub fn recount(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
) -> Result<Recounted, SchemaError> {
    direct::prepare(client)?;
    owners::check(client)?;
    exclusive::run(client, progress, repair)
}

fn repair(client: &mut Client, progress: &mut dyn FnMut(String)) -> Result<Recounted, SchemaError> {
    plain::refuse(client, SchemaError::NothingKept)?;
    let recorded = record::read(client)?;
    record::refuse_newer(recorded.as_ref())?;
    let applied = recorded.as_ref().and_then(|record| record.number);
    if applied.is_none_or(|number| number < NUMBER) {
        return Err(SchemaError::TooOld {
            applied,
            needed: NUMBER,
        });
    }
    if let Some(first) =
        functions::pending(recorded.as_ref(), &functions::existing(client)?).first()
    {
        return Err(SchemaError::Functions(first.clone()));
    }
    let obstacles = others::look(client)?.repair_obstacles;
    if !obstacles.is_empty() {
        return Err(SchemaError::Obstacles(obstacles));
    }
    // First, so that nothing slips through between them and the count.
    let found = drift::look(client, 0)?.map(|drift| drift.triggers);
    if found.as_ref().is_none_or(|triggers| !triggers.is_empty()) {
        locks::locked(client, progress, |client| {
            client
                .query(MEND, &[])
                .doing("mending the triggers of public.warrior")
                .map(drop)
        })?;
        locks::set_lock_timeout(client, Duration::ZERO)?;
    }
    let row = client.query_one(FILL, &[]).doing("counting again")?;
    Ok(Recounted {
        triggers_mended: found.unwrap_or_default(),
        before: row.get("count_before"),
        after: row.get("count_after"),
        skills_added: row.get("skills_added"),
        letters_added: row.get("letters_added"),
    })
}

impl fmt::Display for Recounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.after - self.before {
            0 => write!(f, "the count was right: {}", self.after)?,
            drift => write!(
                f,
                "the count was {}, off by {drift}, and is {}",
                self.before, self.after
            )?,
        }
        write!(
            f,
            "; {} skills and {} letters were not listed",
            self.skills_added, self.letters_added
        )?;
        match self.triggers_mended.is_empty() {
            true => Ok(()),
            false => write!(
                f,
                "; these triggers were missing, disabled, or did not fire always, and do again: {}",
                self.triggers_mended.join(", ")
            ),
        }
    }
}
