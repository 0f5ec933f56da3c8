//! Data access: statements with typed parameters in, outcomes with a class out.
//!
//! The lanes know a store through [`Store`] and the [`Statements`] of its sessions: connect, say until when to wait, then
//! run. A failure before the session was certainly no failure of a statement. There are two: [`Postgres`], and `DuckDb`
//! for one file.

mod new_row;

mod readiness;

mod figures;

mod error;

mod sqlstate;

mod pooler_texts;

pub(crate) mod calendar;

mod postgres;

#[cfg(feature = "duckdb")]
mod duckdb;

pub mod schema;

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use uuid::Uuid;

pub(crate) use self::postgres::drift::Drift;
pub(crate) use self::postgres::{CONSOLE, Inquiry, known_pooler_faults, next_step, readiness};
pub use self::postgres::{
    Date, LoginError, Look, Moment, PoolMetrics, Postgres, Refusal, Samples, StartError, Texts,
    TlsError, connect, connect_direct, pooler_shortcomings, statements,
};
#[cfg(feature = "duckdb")]
pub use duckdb::{DuckDb, FileError, Found};
pub(crate) use error::chain;
#[cfg(feature = "duckdb")]
pub(crate) use error::is_cut_off;
pub use error::{Class, StoreError};
pub use figures::{PgBouncerFigures, PostgresFigures, R2d2Figures, Sampled};
pub use new_row::{Created, NewRow};
pub use readiness::{Readiness, SchemaKind, Writes};

use self::postgres::drift;
use crate::warrior::{StoredWarrior, Warrior};

/// A database, seen by worker threads. Clones share what it takes.
pub trait Store: Clone + Send + Sync + 'static {
    /// A connection in hand, whose statements have no deadline yet.
    type Connected<'s>;
    /// A connection whose statements have a deadline.
    type Session<'s>: Statements;

    /// A live connection, on which nothing was sent. For [`Access::Insert`] this may wait while writers take turns.
    ///
    /// # Errors
    /// [`Class::NotSent`] when there is none to be had.
    fn connect(&self, access: Access) -> Result<Self::Connected<'_>, StoreError>;

    /// Whether upkeep is overdue that searches hold up: most of them are shed until it is done.
    fn is_behind(&self) -> bool {
        false
    }

    /// A session for the statements of one batch, which share the time that its latest `deadline` leaves.
    fn until(connected: Self::Connected<'_>, deadline: Instant) -> Self::Session<'_>;

    /// A session for statements that have so long and no longer.
    fn within(connected: Self::Connected<'_>, limit: Duration) -> Self::Session<'_>;
}

/// The statements of a session.
pub trait Statements {
    /// Stores a batch.
    ///
    /// # Errors
    /// Of the whole batch; its class says what is certain.
    fn create(&mut self, rows: &[&NewRow]) -> Result<Vec<Created>, StoreError>;

    /// Finds warriors. Each is given to `render` as it arrives: `None` in place of one that is too
    /// large to be read.
    ///
    /// # Errors
    /// Of the whole batch.
    fn find<A>(
        &mut self,
        ids: HashSet<Uuid>,
        render: impl FnMut(Option<&StoredWarrior>) -> A,
    ) -> Result<HashMap<Uuid, A>, StoreError>;

    /// How many warriors there are.
    ///
    /// # Errors
    /// When the statement fails, or is not answered in time.
    fn count(&mut self) -> Result<i64, StoreError>;

    /// Searches for each of these terms. The hits, at most 50 for a term, are given to `take` with the number of their
    /// term, term by term and each in the contract's order: `None` in place of one that is too large to be read.
    ///
    /// # Errors
    /// Of the whole batch; [`Class::TooCostly`] when it ran out of its time.
    fn search(
        &mut self,
        terms: &[&str],
        take: impl FnMut(usize, Option<&Warrior>),
    ) -> Result<(), StoreError>;

    /// Asks for the database's fitness.
    ///
    /// # Errors
    /// When it does not answer.
    fn probe(&mut self) -> Result<Readiness, StoreError>;
}

/// The use of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Adding rows; subject to backpressure while flushes lag behind the writers.
    Insert,
    /// Reads that requests wait for.
    Read,
    /// What no request waits for: probes, flushes.
    Aside,
}
