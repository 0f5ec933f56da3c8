//! `schema status`: compares the database with this program, changing nothing.

use std::fmt;

use postgres::Client;

use super::error::{Doing, SchemaError};
use super::record::{self, NUMBER};
use super::roles::{self, RUNTIME_ROLE};
use super::{
    direct, drift, functions, indexes, locks, others, owners, retire, shape, tables, triggers,
};

/// What `status` found.
#[derive(Debug)]
pub struct Status {
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
    let recorded = record::read(client)?;
    let applied = recorded.as_ref().and_then(|record| record.number);
    let mut pending = Vec::new();
    let tables = tables::applied(client)?;
    let existing = functions::existing(client)?;
    let mut newer = false;
    match record::refuse_newer(recorded.as_ref()).and_then(|()| tables::compare(client, &tables)) {
        // What a newer program needs is not known here.
        Err(e @ (SchemaError::NewerTables { .. } | SchemaError::Newer { .. })) => {
            newer = true;
            faults.push(e.to_string());
        }
        Err(e) => return Err(e),
        Ok(()) => {
            let missing = tables::pending(&tables);
            if missing.is_empty() {
                match shape::check(client) {
                    Ok(()) => {}
                    Err(e @ SchemaError::Reshaped(_)) => faults.push(e.to_string()),
                    Err(e) => return Err(e),
                }
            }
            pending.extend(
                missing
                    .iter()
                    .map(|m| format!("migration {m} is not applied")),
            );
            pending.extend(functions::pending(recorded.as_ref(), &existing));
        }
    }
    if let Err(e) = functions::check_indexed(&existing) {
        faults.push(e.to_string());
    }
    let same_functions = pending.is_empty() && !newer;
    if let Some(record) = &recorded {
        pending.extend(indexes::wanting(&indexes::existing(client)?));
        let exposed = exposed(client, &record::known(Some(record)))?;
        pending.extend(
            exposed
                .iter()
                .map(|name| format!("every role may use {name}")),
        );
        if same_functions {
            pending.extend(triggers::pending(record, &existing));
        }
    }
    let begun = recorded.is_some() && applied.is_none() || recorded.is_none() && !tables.is_empty();
    let unfinished = begun || applied.is_some_and(|number| number < NUMBER);
    if unfinished && !newer && pending.is_empty() {
        pending.push("the last apply has not finished".to_owned());
    }
    match roles::name(client, runtime) {
        Ok(()) => {}
        Err(e @ SchemaError::NoRole { .. }) => faults.push(e.to_string()),
        Err(e) => return Err(e),
    }
    let others = others::look(client)?;
    faults.extend(others.obstacles);
    let mut notes = others.notes;
    if let Some(record) = recorded
        .as_ref()
        .filter(|record| !record.superseded.is_empty())
    {
        notes.push(retire::note(&record.superseded));
    }
    if applied.is_some() && functions::has_drift(&existing) {
        match drift::look(client, i64::MAX)? {
            Some(drift) => faults.extend(drift.faults()),
            None => notes.push(format!(
                "public.warrior is locked by {}, and was not compared with what its triggers keep",
                locks::holders(client)?
            )),
        }
    }
    Ok(Status {
        applied,
        begun,
        current: NUMBER,
        pending,
        faults,
        notes,
    })
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.applied {
            None if self.begun => write!(
                f,
                "the schema is half applied, this program needs version {}",
                self.current
            )?,
            None => write!(
                f,
                "the database has no schema, this program needs version {}",
                self.current
            )?,
            Some(applied) => write!(
                f,
                "the database has schema version {applied}, this program needs {}",
                self.current
            )?,
        }
        self.pending
            .iter()
            .try_for_each(|line| write!(f, "\n{line}"))?;
        if !self.pending.is_empty() {
            write!(f, "\nrun `warrior-api schema apply`")?;
        }
        let more = self.faults.iter().chain(&self.notes);
        more.into_iter().try_for_each(|line| write!(f, "\n{line}"))
    }
}

/// What every role may use, though only the owner should.
fn exposed(client: &mut Client, functions: &[&str]) -> Result<Vec<String>, SchemaError> {
    let rows = client
        .query(include_str!("../sql/schema/exposed.sql"), &[&functions])
        .doing("reading who may call the functions")?;
    Ok(rows.iter().map(|row| row.get("name")).collect())
}
