//! The store on a DuckDB file: one process, one connection for each worker.
//!
//! DuckDB runs within this process and holds the file alone. A create is one transaction of three statements, whose
//! commit has synced the write-ahead log when it returns. Every statement has a deadline, at which it is cancelled.
//! Statements stand in `sql/` and take their rows as lists.

mod file;

mod watch;

mod session;

mod create;

mod read;

mod columns;

mod error;

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use uuid::Uuid;
use warrior_duckdb::{Connection, Error, File, Library};

pub use file::{FileError, Found};

use super::{Access, Created, NewRow, Readiness, Statements, Store, StoreError};
use crate::config::{Local, Secret};
use crate::warrior::{StoredWarrior, Warrior};
use session::{Connected, Session};
use watch::Watch;

/// Least time that the statements of a session have, whatever deadline their requests have: that of the role in
/// PostgreSQL.
const STATEMENTS_MIN: Duration = Duration::from_secs(2);

/// A file, seen by worker threads. Clones share it; it is closed when the last of them is dropped.
#[derive(Clone)]
pub struct DuckDb(Arc<Shared>);

struct Shared {
    file: File,
    /// Connections that no session holds: at most one for each worker, and one for the probe.
    idle: Mutex<Vec<Connection>>,
    watch: Watch,
    found: Found,
    /// What is told once DuckDB has given the file up.
    given_up: GivenUp,
}

/// The end of a file that DuckDB has given up.
#[derive(Default)]
struct GivenUp {
    said: OnceLock<()>,
    tell: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl GivenUp {
    /// Tells it when `error` says so.
    fn after(&self, error: &Error) {
        if error::is_invalidated(error) && self.said.set(()).is_ok() {
            self.tell.get().into_iter().for_each(|tell| tell());
        }
    }
}

impl DuckDb {
    /// Opens the file of `local`, or makes it. DuckDB takes at most `memory` bytes.
    ///
    /// # Errors
    /// When another process holds it, it is damaged, or holds another table than this program can serve.
    pub fn open(library: &Library, local: &Local, memory: u64) -> Result<Self, FileError> {
        let (file, found) =
            file::open(library, &local.file, memory, local.checkpoint_at.as_deref())?;
        Ok(Self(Arc::new(Shared {
            file,
            idle: Mutex::default(),
            watch: Watch::start()?,
            found,
            given_up: GivenUp::default(),
        })))
    }

    /// What was in the file.
    pub fn found(&self) -> &Found {
        &self.0.found
    }

    /// The secret that the file keeps for ids that are derived from keys, made where there is none. Blocks.
    ///
    /// # Errors
    /// DuckDB's.
    pub fn secret(&self) -> Result<Secret, FileError> {
        file::secret(&self.0.file)
    }

    /// Calls `tell` once DuckDB has given the file up after a fatal error: no statement reaches it from there on.
    pub fn when_given_up(&self, tell: impl Fn() + Send + Sync + 'static) {
        let _ = self.0.given_up.tell.set(Box::new(tell));
    }

    /// Whether DuckDB has given the file up.
    pub fn is_given_up(&self) -> bool {
        self.0.given_up.said.get().is_some()
    }

    /// Cancels every statement that runs at `moment` or later, whatever its deadline is: nobody waits for it any more.
    pub fn cancel_from(&self, moment: Instant) {
        self.0.watch.cancel_from(moment);
    }

    /// Brings what the write-ahead log holds into the file. A file that is not closed this way replays its log when it
    /// is opened again.
    ///
    /// # Errors
    /// A sentence, when it cannot be done; nothing is lost then.
    pub fn checkpoint(&self) -> Result<(), String> {
        let connection = self.0.file.connect();
        let done = connection.and_then(|mut connection| connection.run("checkpoint"));
        done.map_err(|e| e.to_string())
    }
}

impl Store for DuckDb {
    type Connected<'s> = Connected<'s>;
    type Session<'s> = Session<'s>;

    fn connect(&self, _: Access) -> Result<Connected<'_>, StoreError> {
        let idle = self.0.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.0.file.connect().map_err(|e| {
                self.0.given_up.after(&e);
                error::not_sent(&e)
            })?,
        };
        Ok(Connected::new(&self.0, connection))
    }

    fn until(connected: Self::Connected<'_>, deadline: Instant) -> Self::Session<'_> {
        connected.until(deadline.max(Instant::now() + STATEMENTS_MIN))
    }

    fn within(connected: Self::Connected<'_>, limit: Duration) -> Self::Session<'_> {
        connected.until(Instant::now() + limit)
    }
}

impl Statements for Session<'_> {
    fn create(&mut self, rows: &[&NewRow]) -> Result<Vec<Created>, StoreError> {
        Session::create(self, rows)
    }

    fn find<A>(
        &mut self,
        ids: HashSet<Uuid>,
        render: impl FnMut(Option<&StoredWarrior>) -> A,
    ) -> Result<HashMap<Uuid, A>, StoreError> {
        Session::find(self, ids, render)
    }

    fn count(&mut self) -> Result<i64, StoreError> {
        Session::count(self)
    }

    fn search(
        &mut self,
        terms: &[&str],
        take: impl FnMut(usize, Option<&Warrior>),
    ) -> Result<(), StoreError> {
        Session::search(self, terms, take)
    }

    /// The table was looked at when the file was opened, and nobody else has the file: what is left to ask is whether
    /// DuckDB still answers.
    fn probe(&mut self) -> Result<Readiness, StoreError> {
        self.count().map(|_| Readiness::default())
    }
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Thread(error)
    }
}

#[cfg(test)]
mod tests;
