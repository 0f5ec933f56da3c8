//! Session repair: a statement that failed because of settings that another client left on the server connection runs
//! again in a session that was reset.
//!
//! A pooler in transaction mode lends the same server connection to all clients of a role, and a `SET` of one
//! stays for the next. Here it is found by the failure that it causes, so that the ordinary path pays nothing:
//! a reset after every transaction (PgBouncer's `server_reset_query_always`) has its price in each find
//! (`pgbouncer/README.md`). The exchange is one transaction, which the pooler gives one server
//! connection; settings of role and database (a database made read only, a shorter limit) stay in force.

use std::time::Duration;

use postgres::Client;
use postgres::error::Severity;

use super::sqlstate;

const BEGIN: &str = include_str!("../sql/mend/begin.sql");
const CHANGED: &str = include_str!("../sql/mend/changed.sql");
const RESET: &str = include_str!("../sql/mend/reset.sql");
const LIMITS: &str = include_str!("../sql/mend/limits.sql");

/// A failure that a setting of the session may have caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suspect {
    /// `default_transaction_read_only`, `default_transaction_isolation`, `role`.
    Setting,
    /// `statement_timeout`, when the statement failed before the time that role and database give it; or a
    /// setting that made it slow (`enable_indexscan`), when any was changed.
    StatementTime(Duration),
    /// `lock_timeout`, likewise.
    LockTime(Duration),
}

/// The outcome of a repair.
pub(super) struct Repair<T> {
    /// The result of the statement in the reset session, or of its commit; none where it was not run again, since the
    /// session was not to blame or cannot be reset.
    pub(super) again: Option<Result<T, postgres::Error>>,
    /// Why the transaction may still be open. A statement that ran in it would be answered as if it were committed.
    pub(super) open: Option<postgres::Error>,
}

impl Suspect {
    /// The suspect behind this failure, which came after `took`; none when no setting can be.
    pub(super) fn of(error: &postgres::Error, took: Duration) -> Option<Self> {
        let error = error.as_db_error()?;
        let code = error.code().code();
        if error.parsed_severity() != Some(Severity::Error) {
            None
        } else if sqlstate::may_be_of_a_setting(code) {
            Some(Self::Setting)
        } else if sqlstate::is_timeout(code) {
            // A cancelled statement must not run again.
            let cancelled = error.message().contains("user request");
            (!cancelled).then_some(Self::StatementTime(took))
        } else if sqlstate::is_lock_timeout(code) {
            Some(Self::LockTime(took))
        } else {
            None
        }
    }
}

/// Resets the session, and runs the statement in it.
pub(super) fn run<T>(
    client: &mut Client,
    suspect: Suspect,
    statement: &impl Fn(&mut Client) -> Result<T, postgres::Error>,
) -> Repair<T> {
    let again = match reset(client, suspect) {
        Ok(true) => Some(statement(client)),
        Ok(false) | Err(_) => None,
    };
    match again {
        Some(Ok(value)) => Repair {
            again: Some(client.batch_execute("commit").map(|()| value)),
            open: None,
        },
        again => Repair {
            again,
            open: client.batch_execute("rollback").err(),
        },
    }
}

/// Opens a transaction with the settings of role and database; whether others were to blame.
fn reset(client: &mut Client, suspect: Suspect) -> Result<bool, postgres::Error> {
    client.batch_execute(BEGIN)?;
    let changed = match suspect {
        Suspect::StatementTime(_) => client.query_typed(CHANGED, &[])?[0].try_get(0)?,
        Suspect::Setting | Suspect::LockTime(_) => false,
    };
    client.batch_execute(RESET)?;
    let limits = client.query_typed(LIMITS, &[])?;
    let is_early = |took: Duration, limit: &str| -> Result<bool, postgres::Error> {
        let limit_ms: f64 = limits[0].try_get(limit)?;
        Ok(limit_ms == 0.0 || took.as_secs_f64() * 1000.0 < 0.9 * limit_ms)
    };
    match suspect {
        Suspect::Setting => Ok(true),
        Suspect::StatementTime(took) => Ok(changed || is_early(took, "statement_ms")?),
        Suspect::LockTime(took) => is_early(took, "lock_ms"),
    }
}
