//! Readiness: whether the database has the schema that this program needs, and takes writes.

use postgres::{Client, Row};

use super::error::StoreError;
use super::mend::{self, Repair, Suspect};
use super::session::Session;
use super::sqlstate;

const READY: &str = include_str!("sql/ready.sql");

/// The database's fitness for this program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// The version of its schema; 0 when it has none of ours.
    pub schema_version: i32,
    /// Whether anything can be stored.
    pub writes: Writes,
}

/// Whether anything can be stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Writes {
    /// As far as settings go.
    #[default]
    Possible,
    /// `default_transaction_read_only` is on, for the server, the database or the role.
    ReadOnly,
    /// The server is a standby, or recovers.
    Standby,
}

impl Readiness {
    /// Whether all of the API can be served by a program that needs `schema_version`.
    ///
    /// # Errors
    /// A sentence with the obstacle and the next command to type.
    pub fn suffices(self, schema_version: i32) -> Result<(), String> {
        if self.schema_version < schema_version {
            return Err(format!(
                "the database has schema version {}, this program needs {schema_version}; run \
                 `warrior-api schema apply`",
                self.schema_version
            ));
        }
        match self.writes {
            Writes::Possible => Ok(()),
            Writes::ReadOnly => Err(
                "the database is read only (default_transaction_read_only is on), so nothing can be \
                 stored; find where it is set with psql's `\\drds`, and undo it: alter database ... reset \
                 default_transaction_read_only"
                    .to_owned(),
            ),
            Writes::Standby => Err(
                "the database is a standby or recovers (pg_is_in_recovery), so nothing can be stored; \
                 set POSTGRES_HOST to the primary, or promote this server: select pg_promote()"
                    .to_owned(),
            ),
        }
    }
}

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
pub(super) fn readiness(client: &mut Client) -> Result<Readiness, postgres::Error> {
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
