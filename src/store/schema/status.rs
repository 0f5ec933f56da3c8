//! `schema status`: compares the database with this program, changing nothing.

use std::fmt;

use postgres::Client;

use super::error::SchemaError;
use super::examination::Compared;
use super::examine::examine;
use super::record::NUMBER;
use super::roles::RUNTIME_ROLE;
use super::{direct, owners};
use crate::store::SchemaKind;

/// What `status` found.
#[derive(Debug)]
pub struct Status {
    /// Which schema the database has; the tuned one when it has none.
    pub schema: SchemaKind,
    /// The version that the database has; `None` when no migration was ever run.
    pub applied: Option<i32>,
    /// Whether an apply was begun that has not finished.
    pub begun: bool,
    /// The version that this program needs.
    pub current: i32,
    /// What stands between the two, or is missing beside them.
    pub pending: Vec<String>,
    /// What keeps the service from its promises, each with the command that mends it.
    pub faults: Vec<String>,
    /// What others have put on the table, and what it does to the answers.
    pub notes: Vec<String>,
}

/// Compares the database with this program, and the table with what its triggers keep (its rows are counted),
/// changing nothing, for [`RUNTIME_ROLE`].
///
/// # Errors
/// When the database cannot be asked.
pub fn status(client: &mut Client) -> Result<Status, SchemaError> {
    status_for(client, RUNTIME_ROLE)
}

/// As [`status`], for another role that serves requests.
///
/// # Errors
/// As those of [`status`].
pub fn status_for(client: &mut Client, runtime: &str) -> Result<Status, SchemaError> {
    let mut faults = Vec::new();
    match direct::check_server(client) {
        Ok(()) => {}
        Err(e @ SchemaError::Database { .. }) => faults.push(e.to_string()),
        Err(e) => return Err(e),
    }
    direct::set_session(client)?;
    owners::check(client)?;
    let mut found = examine(client, runtime, i64::MAX)?;
    let pending = [
        found.migrations,
        found.functions,
        found.indexes,
        found.exposed,
    ];
    let last = [found.triggers, found.unfinished];
    let first = [
        found.newer,
        found.reshaped,
        found.indexed_function,
        found.no_role,
    ];
    faults.extend(first.into_iter().flatten().chain(found.obstacles));
    match found.compared {
        Compared::Absent => {}
        Compared::Held(holders) => found.notes.push(format!(
            "public.warrior is locked by {holders}, and was not compared with what its triggers keep"
        )),
        Compared::Drift(drift) => faults.extend(drift.faults()),
        Compared::Failed(e) => return Err(e),
    }
    Ok(Status {
        schema: found.schema,
        applied: found.applied,
        begun: found.begun,
        current: NUMBER,
        pending: pending
            .into_iter()
            .flatten()
            .chain(last.into_iter().flatten())
            .collect(),
        faults,
        notes: found.notes,
    })
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.schema.adjective();
        match self.applied {
            None if self.begun => write!(
                f,
                "the {kind}schema is half applied, this program needs version {}",
                self.current
            )?,
            None => write!(
                f,
                "the database has no schema, this program needs version {}",
                self.current
            )?,
            Some(applied) => write!(
                f,
                "the database has {kind}schema version {applied}, this program needs {}",
                self.current
            )?,
        }
        self.pending
            .iter()
            .try_for_each(|line| write!(f, "\n{line}"))?;
        if !self.pending.is_empty() {
            write!(f, "\nrun `warrior-api {}`", self.schema.apply_command())?;
        }
        let more = self.faults.iter().chain(&self.notes);
        more.into_iter().try_for_each(|line| write!(f, "\n{line}"))
    }
}
