//! Readiness of PostgreSQL, asked for in one statement.

use postgres::{Client, Row};

use super::error::StoreError;
use super::mend::{self, Repair, Suspect};
use super::session::Session;
use super::sqlstate;
use crate::store::{Readiness, Writes};

const READY: &str = include_str!("../sql/ready.sql");

impl Session<'_> {
    /// Asks for the database's fitness.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn probe(&mut self) -> Result<Readiness, StoreError> {
        self.repaired(readiness).map_err(StoreError::of_read)
    }
}

/// Asks for the database's fitness. Where this session alone is read only, another client has left it so.
pub(crate) fn readiness(client: &mut Client) -> Result<Readiness, postgres::Error> {
    let ask = |client: &mut Client| match client.query_typed(READY, &[]) {
        Err(e) if sqlstate::of(&e).is_some_and(sqlstate::is_missing_table) => {
            Ok(Readiness::default())
        }
        answer => ready_row(&answer?),
    };
    let ready = ask(client)?;
    if ready.writes == Writes::ReadOnly {
        let Repair { again, open } = mend::run(client, Suspect::Setting, &ask);
        return open.map_or(again.unwrap_or(Ok(ready)), Err);
    }
    Ok(ready)
}

/// An aggregate has a row in any case.
fn ready_row(rows: &[Row]) -> Result<Readiness, postgres::Error> {
    let Some(row) = rows.first() else {
        return Ok(Readiness::default());
    };
    let version: Option<i32> = row.try_get("version")?;
    Ok(Readiness {
        schema_version: version.unwrap_or(0),
        writes: match (row.try_get("standby")?, row.try_get("read_only")?) {
            (true, _) => Writes::Standby,
            (false, true) => Writes::ReadOnly,
            (false, false) => Writes::Possible,
        },
    })
}
