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
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use uuid::Uuid;
use warrior_duckdb::{Connection, File, Library};

pub use file::FileError;

use super::{Access, Created, NewRow, Readiness, Statements, Store, StoreError};
use crate::config::Secret;
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
    secret: Secret,
}

impl DuckDb {
    /// Opens the file at `path`, or makes it. DuckDB takes at most `memory` bytes.
    ///
    /// # Errors
    /// When another process holds it, it is damaged, or holds another table than this program can serve.
    pub fn open(library: &Library, path: &Path, memory: u64) -> Result<Self, FileError> {
        let (file, secret) = file::open(library, path, memory)?;
        Ok(Self(Arc::new(Shared {
            file,
            idle: Mutex::default(),
            watch: Watch::start()?,
            secret,
        })))
    }

    /// The secret that the file keeps for ids that are derived from keys.
    pub fn secret(&self) -> &Secret {
        &self.0.secret
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
            None => (self.0.file.connect()).map_err(|e| error::not_sent(&e))?,
        };
        Ok(Connected::new(&self.0, connection))
    }

    fn until(connected: Self::Connected<'_>, deadline: Instant) -> Self::Session<'_> {
        connected.until(deadline.max(Instant::now() + STATEMENTS_MIN))
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
