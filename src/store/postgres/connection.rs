//! The connection manager: opens, checks and closes the connections of r2d2's pool.
//!
//! The synchronous client lacks a deadline for each statement and for the end, and a liveness check that is made only
//! when there is a reason to doubt a connection: both are added here.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use postgres::Client;
use postgres::error::Severity;
use r2d2::ManageConnection;

use super::error::chain;
use super::liveness::Liveness;
use super::login::{Login, Logins};
use super::login_error::LoginError;
use super::mend::{self, Repair, Suspect};
use super::named::{self, Forms, Named};
use super::pool_metrics::PoolMetrics;
use super::refusal::Refusal;
use super::sqlstate;
use super::tls::TlsError;
use crate::config::Database;

/// A connection that has idled longer is checked before it is used.
const IDLE_MAX_UNCHECKED: Duration = Duration::from_secs(5);
/// Longest time of that check.
const CHECK_TIMEOUT: Duration = Duration::from_millis(500);
/// Longest time of a trial of the way to PostgreSQL, which takes some seven round trips.
const TRIAL_TIMEOUT: Duration = Duration::from_secs(1);
/// Longest time of a close when the server owes no answer.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// Opens connections for r2d2.
pub(super) struct Manager {
    logins: Logins,
    liveness: Liveness,
    metrics: PoolMetrics,
    forms: Forms,
}

/// A connection and the last signs of its liveness.
pub(super) struct Connection {
    login: Login,
    named: Named,
    /// The epoch in which the server last showed that it lives; none before the first time.
    epoch: Option<u64>,
    last_used: Instant,
    /// Set while the server owes an answer; a connection that is still owed one is not used again.
    owed: bool,
}

// === impl Manager ===

impl Manager {
    pub(super) fn new(
        database: Database,
        liveness: Liveness,
        metrics: PoolMetrics,
        forms: Forms,
    ) -> Result<Self, TlsError> {
        let logins = Logins::new(database)?;
        Ok(Self {
            logins,
            liveness,
            metrics,
            forms,
        })
    }

    /// Logs in, within `limit`.
    fn log_in(&self, limit: Duration) -> Result<Connection, LoginError> {
        // A login that works proves little; the first check proves more, see `is_valid`.
        let began = Instant::now();
        let login = (self.logins.login_within(limit))
            .inspect_err(|e| self.liveness.learn(Some(e.to_string())))?;
        self.metrics.created(began.elapsed());
        Ok(Connection {
            named: Named::new(login.promise.backend(), self.forms.clone()),
            login,
            // A pooler lets clients log in while its database is gone. Found by a check, such a connection is known
            // to have carried nothing; found by a write, it would leave the outcome unknown, since the client loses a
            // last message that comes together with the end.
            epoch: None,
            last_used: Instant::now(),
            owed: false,
        })
    }

    /// Checks whether a connection lives, unless it has shown it lately.
    fn check(&self, connection: &mut Connection, now: Instant) -> Result<(), LoginError> {
        let epoch = Some(self.liveness.epoch());
        if connection.epoch == epoch && now < connection.last_used + IDLE_MAX_UNCHECKED {
            return Ok(());
        }
        let answer = connection.ping().map_err(|e| {
            let why = chain(&e);
            let why = format!("it lets us in, but answers nothing: {why}");
            self.logins.refused(why, Refusal::of(&e))
        });
        self.liveness
            .learn(answer.as_ref().err().map(ToString::to_string));
        answer?;
        connection.epoch = epoch;
        connection.last_used = Instant::now();
        Ok(())
    }

    /// Tries whether statements can be named, when it is time to. A trial that overruns costs its connection, and takes
    /// the time of its checkout; so another one is opened here, and for a while none is tried.
    fn try_names(&self, connection: &mut Connection, now: Instant) -> Result<(), LoginError> {
        if !connection.named.are_due(now) || !self.liveness.lets_try_names(now) {
            return Ok(());
        }
        match connection.try_names() {
            Err(e) if connection.is_spent() => {
                self.liveness.suspect_all();
                (self.liveness).stop_trying_names(now + named::TRIAL_INTERVAL);
                tracing::debug!(error = %chain(&e), "a trial of named statements ended its connection");
                *connection = self.log_in(self.logins.limit())?;
                self.check(connection, Instant::now())
            }
            _ => Ok(()),
        }
    }
}

impl ManageConnection for Manager {
    type Connection = Connection;
    type Error = LoginError;

    /// While logins fail, those of a pool take turns; see [`super::liveness`].
    fn connect(&self) -> Result<Connection, LoginError> {
        let limit = self.logins.limit();
        let Some(trial) = self.liveness.admit().map_err(LoginError::Failing)? else {
            return self.log_in(limit);
        };
        let mut connection = self.log_in(trial.limit.min(limit))?;
        self.check(&mut connection, Instant::now())?;
        Ok(connection)
    }

    /// Checks a connection only before its first use, when another one has failed since, or after idling: a
    /// round trip for each checkout would double the cost of a find.
    fn is_valid(&self, connection: &mut Connection) -> Result<(), LoginError> {
        let now = Instant::now();
        self.check(connection, now)?;
        self.try_names(connection, now)
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.last_used = Instant::now();
        connection.is_spent()
    }
}

// === impl Connection ===

impl Connection {
    /// Runs one statement, whose answer must be there at `until`. A connection whose statement failed
    /// other than by an ordinary ERROR, was overdue, or panicked, is not used again.
    pub(super) fn run<T>(
        &mut self,
        until: Instant,
        statement: impl FnOnce(&mut Client, &mut Named) -> Result<T, postgres::Error>,
    ) -> Result<T, postgres::Error> {
        self.begin(until);
        let result = statement(&mut self.login.client, &mut self.named);
        self.owed = false;
        if let Err(e) = &result {
            self.failed(e);
        }
        result
    }

    /// Runs a statement in a session that is reset; see [`mend`]. A connection whose transaction may still be open
    /// is not used again.
    pub(super) fn mend<T>(
        &mut self,
        until: Instant,
        suspect: Suspect,
        statement: &impl Fn(&mut Client, &mut Named) -> Result<T, postgres::Error>,
    ) -> Option<Result<T, postgres::Error>> {
        self.begin(until);
        // A name is given in a transaction of its own, and may be of a plan that was made under those settings.
        self.named.forget();
        let named = RefCell::new(&mut self.named);
        let statement = |client: &mut Client| statement(client, &mut named.borrow_mut());
        let Repair { again, open } = mend::run(&mut self.login.client, suspect, &statement);
        self.owed = open.is_some() || matches!(&again, Some(Err(e)) if !leaves_session_usable(e));
        again
    }

    fn begin(&mut self, until: Instant) {
        self.login.deadline.set(Some(until));
        self.login.standby_wait.clear();
        self.owed = true;
    }

    /// Judges the connection by the failure of a statement.
    pub(super) fn failed(&mut self, error: &postgres::Error) {
        self.owed |= !leaves_session_usable(error);
    }

    /// The liveness check, within [`CHECK_TIMEOUT`].
    pub(super) fn ping(&mut self) -> Result<(), postgres::Error> {
        self.run(Instant::now() + CHECK_TIMEOUT, |client, _| {
            client.simple_query("").map(drop)
        })
    }

    /// A trial of the way to PostgreSQL, within [`TRIAL_TIMEOUT`].
    fn try_names(&mut self) -> Result<(), postgres::Error> {
        self.run(Instant::now() + TRIAL_TIMEOUT, |client, named| {
            named.try_way(client)
        })
    }

    /// Whether its statements are named.
    pub(super) fn names_statements(&self) -> bool {
        self.named.are_kept()
    }

    /// Whether the last statement's commit was not confirmed where it should be; see [`super::replication`].
    pub(super) fn standby_wait_was_cancelled(&self) -> bool {
        self.login.standby_wait.was_cancelled()
    }

    /// Whether the connection will not be used again.
    pub(super) fn is_spent(&self) -> bool {
        self.owed || self.login.client.is_closed()
    }
}

impl Drop for Connection {
    /// Closing waits for the answer that is still owed, which a silent peer may owe for ever.
    fn drop(&mut self) {
        let limit = match self.owed {
            true => Duration::ZERO,
            false => CLOSE_TIMEOUT,
        };
        self.login.deadline.set(Some(Instant::now() + limit));
    }
}

/// Whether the session goes on after this error. PgBouncer's own errors end it, and a server that turned read-only
/// is no longer the one to write to.
fn leaves_session_usable(error: &postgres::Error) -> bool {
    error.as_db_error().is_some_and(|e| {
        let code = e.code().code();
        e.parsed_severity() == Some(Severity::Error)
            && !sqlstate::is_pooler(code)
            && !sqlstate::is_read_only(code)
    })
}
