//! Readiness of PostgreSQL: its schema, and whether it takes writes.

use std::cell::Cell;

use postgres::{Client, Row};

use super::error::StoreError;
use super::mend::{self, Repair, Suspect};
use super::served::{self, Served};
use super::session::Session;
use super::sqlstate;
use crate::store::{Readiness, SchemaKind, Writes};

const READY: &str = include_str!("../sql/ready.sql");
const READY_PLAIN: &str = include_str!("../sql/plain/ready.sql");

impl Session<'_> {
    /// Asks for the database's fitness.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn probe(&mut self) -> Result<Readiness, StoreError> {
        let seen = Cell::new(None);
        let ready = self.repaired(|client| {
            let (ready, served) = look(client)?;
            seen.set(served);
            Ok(ready)
        });
        let ready = ready.map_err(StoreError::of_read)?;
        self.known().learn(seen.get());
        Ok(ready)
    }
}

/// Asks for the database's fitness. Where this session alone is read only, another client has left it so.
pub(crate) fn readiness(client: &mut Client) -> Result<Readiness, postgres::Error> {
    look(client).map(|(ready, _)| ready)
}

fn look(client: &mut Client) -> Result<(Readiness, Option<Served>), postgres::Error> {
    let answer = ask(client)?;
    if answer.0.writes == Writes::ReadOnly {
        let Repair { again, open } = mend::run(client, Suspect::Setting, &ask);
        return open.map_or(again.unwrap_or(Ok(answer)), Err);
    }
    Ok(answer)
}

fn ask(client: &mut Client) -> Result<(Readiness, Option<Served>), postgres::Error> {
    let served = served::ask(client)?;
    let (sql, schema) = match served {
        None => return Ok((Readiness::default(), None)),
        Some(Served::Tuned) => (READY, SchemaKind::Tuned),
        Some(Served::Plain(_)) => (READY_PLAIN, SchemaKind::Plain),
    };
    let ready = match client.query_typed(sql, &[]) {
        Err(e) if sqlstate::of(&e).is_some_and(sqlstate::is_missing_table) => Readiness::default(),
        answer => ready_row(&answer?, schema)?,
    };
    Ok((ready, served))
}

/// An aggregate has a row in any case.
fn ready_row(rows: &[Row], schema: SchemaKind) -> Result<Readiness, postgres::Error> {
    let Some(row) = rows.first() else {
        return Ok(Readiness::default());
    };
    let version: Option<i32> = row.try_get("version")?;
    Ok(Readiness {
        schema,
        schema_version: version.unwrap_or(0),
        writes: match (row.try_get("standby")?, row.try_get("read_only")?) {
            (true, _) => Writes::Standby,
            (false, true) => Writes::ReadOnly,
            (false, false) => Writes::Possible,
        },
    })
}
