//! Executor: it runs a batch in two steps with the claim between them, connect, then run the requests that could be
//! claimed.

use std::cell::Cell;
use std::time::{Duration, Instant as StdInstant};

use super::{Ask, Behind};
use crate::store::StoreError;

/// The executor of one lane's batches. Called from several threads at once.
pub trait Executor: Send + Sync + 'static {
    /// One request; equal searches are of one term.
    type Request: PartialEq + Send + 'static;
    /// Its answer.
    type Reply: Send + 'static;
    /// A live connection.
    type Session<'s>;

    /// Gets a live connection, and sends nothing of a request: until it is there, none counts as sent.
    ///
    /// # Errors
    /// Without one; certainly nothing was sent then.
    fn connect(&self) -> Result<Self::Session<'_>, StoreError>;

    /// Runs a batch, and gives one reply for each request, in the same order. The session ends with it: a connection
    /// is back in its pool before any request is answered.
    ///
    /// # Errors
    /// Of the whole batch; its class says what is certain.
    fn run(
        &self,
        session: Self::Session<'_>,
        batch: &Claimed<'_, Self::Request>,
    ) -> Result<Vec<Self::Reply>, StoreError>;
}

/// The executor of each lane, and what else is asked of the database.
pub struct Executors<C, F, S> {
    /// Stores warriors.
    pub create: C,
    /// Finds warriors by id, and counts.
    pub find: F,
    /// Searches; a batch has few different terms.
    pub search: S,
    /// Asks the database for its fitness.
    pub probe: Ask,
    /// Asks whether it is behind with upkeep that searches hold up.
    pub is_behind: Behind,
}

/// Requests that count as sent from now on.
#[derive(Debug)]
pub struct Claimed<'j, Q> {
    /// Time that was spent in [`Claimed::render`].
    pub(super) rendering: Cell<Duration>,
    /// At least one.
    pub requests: Vec<&'j Q>,
    /// The latest of their deadlines, on the clock of `std`: that of tokio can be paused, and a database's cannot.
    pub deadline: StdInstant,
}

impl<Q> Claimed<'_, Q> {
    /// Runs what renders rows while they are read: its time is not the database's.
    pub fn render<T>(&self, work: impl FnOnce() -> T) -> T {
        let began = StdInstant::now();
        let done = work();
        self.rendering.set(self.rendering.get() + began.elapsed());
        done
    }
}
