//! Session: a checked-out connection with a deadline, and how statements run on it.
//!
//! A session serves one batch, whose statements share its deadline; a connection has no statements before it has one.
//! The statements themselves stand beside: [`create`](super::create), [`read`](super::read),
//! [`plain`](super::plain), [`readiness`](super::readiness), [`flusher`](super::flusher),
//! [`drift_watch`](super::drift_watch).

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use parking_lot::MutexGuard;
use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, Row, RowIter};
use r2d2::PooledConnection;

use super::backlog::Backlog;
use super::connection::Manager;
use super::error::StoreError;
use super::in_turn::InTurn;
use super::liveness::Liveness;
use super::mend::Suspect;
use super::named::{Failure, Named, Naming, Parameters};
use super::served::{self, Known, Served};
use super::sqlstate;
use crate::throttle::throttled;

/// The role's `statement_timeout` (`postgres-conf/roles.sql`): a server that is slow says so itself by then,
/// which ends the statement there, too, and keeps the connection.
pub(super) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(2);
/// Time after that, and after the last deadline of a batch, at which its worker gives up. By then the front end
/// has answered for all requests, so no answer depends on it.
const STATEMENT_GRACE: Duration = Duration::from_millis(500);

/// A checked-out connection; held by a writer in its turn while writers take turns.
type Held<'s> = InTurn<PooledConnection<Manager>, Option<MutexGuard<'s, ()>>>;

/// A connection in hand, whose statements have no deadline yet.
pub struct Connected<'s> {
    held: Held<'s>,
    liveness: &'s Liveness,
    backlog: &'s Backlog,
    known: &'s Known,
}

/// A connection whose statements have a deadline.
pub struct Session<'s> {
    connected: Connected<'s>,
    /// The time at which its statements are given up, and the connection with them.
    until: Instant,
}

impl<'s> Connected<'s> {
    pub(super) fn new(
        held: Held<'s>,
        liveness: &'s Liveness,
        backlog: &'s Backlog,
        known: &'s Known,
    ) -> Self {
        Self {
            held,
            liveness,
            backlog,
            known,
        }
    }

    /// A session for the statements of one batch, which share the time that its latest `deadline` leaves.
    pub fn until(self, deadline: Instant) -> Session<'s> {
        Session {
            connected: self,
            until: deadline.max(Instant::now() + STATEMENT_TIMEOUT) + STATEMENT_GRACE,
        }
    }

    /// A session for statements that have so long and no longer.
    pub fn within(self, limit: Duration) -> Session<'s> {
        Session {
            connected: self,
            until: Instant::now() + limit,
        }
    }

    /// A session bounded by the role's own limit, where no request's deadline depends on its statements.
    pub fn until_role_limit(self) -> Session<'s> {
        self.until(Instant::now())
    }

    /// Runs statements without a repair: their limit is one of their own, which is no other client's.
    pub(super) fn run_unrepaired<T>(
        &mut self,
        limit: Duration,
        statements: impl FnOnce(&mut Client) -> Result<T, postgres::Error>,
    ) -> Result<T, postgres::Error> {
        let until = Instant::now() + limit;
        let run = |client: &mut Client, _: &mut Named| statements(client);
        let result = (self.held.connection).run(until, run);
        self.note_failure(result)
    }

    /// Has all connections asked whether they live once one of them has failed, and the schema looked up again once
    /// something of it was missed.
    fn note_failure<T>(&self, result: Result<T, postgres::Error>) -> Result<T, postgres::Error> {
        if let Err(e) = &result {
            if self.held.connection.is_spent() {
                self.liveness.suspect_all();
            }
            if sqlstate::of(e).is_some_and(sqlstate::is_missing_object) {
                self.known.forget();
            }
        }
        result
    }
}

impl Session<'_> {
    pub(super) fn backlog(&self) -> &Backlog {
        self.connected.backlog
    }

    /// The schema that was seen last.
    pub(super) fn known(&self) -> &Known {
        self.connected.known
    }

    /// The schema as it was seen last; asked for where it was not. The tuned one where there is none yet, whose statements
    /// then say what is missing.
    pub(super) fn served(&mut self) -> Result<Served, postgres::Error> {
        match self.known().get() {
            Some(served) => Ok(served),
            None => Ok(self.look_served()?.unwrap_or(Served::Tuned)),
        }
    }

    /// Asks for the schema; none where there is none of ours.
    pub(super) fn look_served(&mut self) -> Result<Option<Served>, postgres::Error> {
        let served = self.repaired(served::ask)?;
        self.known().learn(served);
        Ok(served)
    }

    /// Fails where the last commit may be missing on a standby or worker that should have confirmed it.
    pub(super) fn check_replicated(&self) -> Result<(), StoreError> {
        match (self.connected.held.connection).standby_wait_was_cancelled() {
            true => Err(StoreError::not_replicated()),
            false => Ok(()),
        }
    }

    /// Reads row by row: a result is never in memory as a whole, however large its rows are. All of it is
    /// read, also after `take` fails, so that the connection can be used again.
    pub(super) fn each(
        &mut self,
        sql: &'static str,
        params: Parameters<'_>,
        take: impl FnMut(&Row) -> Result<(), postgres::Error>,
    ) -> Result<(), StoreError> {
        self.each_as(Naming::WhereKept, sql, params, take)
    }

    /// As [`each`](Self::each), never by name: a statement whose plan depends on its parameters.
    pub(super) fn each_planned_anew(
        &mut self,
        sql: &'static str,
        params: Parameters<'_>,
        take: impl FnMut(&Row) -> Result<(), postgres::Error>,
    ) -> Result<(), StoreError> {
        self.each_as(Naming::Never, sql, params, take)
    }

    fn each_as(
        &mut self,
        naming: Naming,
        sql: &'static str,
        params: Parameters<'_>,
        take: impl FnMut(&Row) -> Result<(), postgres::Error>,
    ) -> Result<(), StoreError> {
        let (take, taken, begun) = (RefCell::new(take), Cell::new(Ok(())), Cell::new(false));
        let read = |mut rows: RowIter<'_>| {
            while let Some(row) = rows.next()? {
                begun.set(true);
                let before = taken.replace(Ok(()));
                taken.set(before.and_then(|()| (take.borrow_mut())(&row)));
            }
            Ok(())
        };
        // Rows that were taken once cannot be taken again.
        self.read(naming, sql, params, || !begun.get(), read)
            .map_err(|failure| StoreError::of_read(failure.error))?;
        taken.into_inner().map_err(StoreError::of_row)
    }

    /// Reads a result that is small.
    pub(super) fn rows(
        &mut self,
        sql: &'static str,
        params: Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        self.run(sql, params)
            .map_err(|failure| StoreError::of_read(failure.error))
    }

    pub(super) fn run(
        &mut self,
        sql: &'static str,
        params: Parameters<'_>,
    ) -> Result<Vec<Row>, Failure> {
        self.read(
            Naming::WhereKept,
            sql,
            params,
            || true,
            |rows| rows.collect(),
        )
    }

    /// Whether statements are named on this connection.
    pub(super) fn names_statements(&self) -> bool {
        self.connected.held.connection.names_statements()
    }

    /// Runs a statement, and gives its rows to `take`.
    fn read<T>(
        &mut self,
        naming: Naming,
        sql: &'static str,
        params: Parameters<'_>,
        repeated: impl Fn() -> bool,
        take: impl Fn(RowIter<'_>) -> Result<T, postgres::Error>,
    ) -> Result<T, Failure> {
        let sent = Cell::new(false);
        let statement = |client: &mut Client, named: &mut Named| {
            sent.set(false);
            named.run(client, naming, sql, params, &sent, &take)
        };
        self.repaired_while(repeated, statement)
            .map_err(|error| Failure {
                error,
                sent: sent.get(),
            })
    }

    pub(super) fn repaired<T>(
        &mut self,
        statement: impl Fn(&mut Client) -> Result<T, postgres::Error>,
    ) -> Result<T, postgres::Error> {
        self.repaired_while(|| true, |client, _| statement(client))
    }

    /// Session repair: a statement that another client's settings made fail runs once more in a session that is reset,
    /// as long as it may be `repeated`.
    fn repaired_while<T>(
        &mut self,
        repeated: impl Fn() -> bool,
        statement: impl Fn(&mut Client, &mut Named) -> Result<T, postgres::Error>,
    ) -> Result<T, postgres::Error> {
        let (began, until) = (Instant::now(), self.until);
        let connection = &mut self.connected.held.connection;
        let mut result = connection.run(until, &statement);
        if let Err(e) = &result
            && let Some(suspect) = Suspect::of(e, began.elapsed())
        {
            let again = |client: &mut Client, named: &mut Named| match repeated() {
                true => statement(client, named).map(Some),
                false => Ok(None),
            };
            match connection.mend(until, suspect, &again) {
                Some(Ok(Some(value))) => {
                    throttled!(
                        WARN,
                        "a statement that had failed was run again in a session that was reset: another client \
                         may have changed its settings; let people log in as roles of their own",
                        lane = "",
                        reason = e.code().map_or("", SqlState::code).to_owned(),
                        error = e.as_db_error().map(tracing::field::display)
                    );
                    return Ok(value);
                }
                Some(Ok(None)) => {}
                None => connection.failed(e),
                Some(Err(later)) => result = Err(later),
            }
        }
        self.connected.note_failure(result)
    }
}
