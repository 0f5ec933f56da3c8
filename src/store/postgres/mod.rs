//! The store on PostgreSQL: sessions from a pool, and their statements.
//!
//! Every statement stands in a `.sql` file, takes its parameters typed, and goes out in one round trip: unnamed, so that
//! any pooler in transaction mode can carry it, or [named](named) where names are kept. A statement is its own
//! transaction, and has succeeded only when the server is ready for the next one.

mod pool;

mod in_turn;

mod session;

mod served;

pub mod statements;

mod create;

mod read;

mod plain;

mod readiness;

mod decode;

mod mend;

mod named;

mod replication;

mod connection;

mod liveness;

mod login;

mod login_error;

mod refusal;

mod deadline;

mod greeting;

mod resolver;

mod tls;

mod pool_metrics;

mod backlog;

mod flusher;

pub(super) mod drift;

mod drift_watch;

mod start;

mod pooler;

mod monitor;

mod inquiry;

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use prometheus_client::registry::Registry;
use uuid::Uuid;

pub use decode::{Date, Moment, Texts};
pub(crate) use inquiry::Inquiry;
pub use login::{connect, connect_direct};
pub use login_error::LoginError;
pub use monitor::Samples;
pub use pool_metrics::PoolMetrics;
pub use pooler::shortcomings as pooler_shortcomings;
pub(crate) use pooler::{CONSOLE, known_faults as known_pooler_faults};
pub(crate) use readiness::readiness;
pub use refusal::Refusal;
pub use start::Look;
pub(crate) use start::next_step;
pub use tls::TlsError;

use super::{
    Access, Created, NewRow, Readiness, Statements, Store, StoreError, error, pooler_texts, schema,
    sqlstate,
};
use crate::config::{Database, Secret, Sizes};
use crate::warrior::{StoredWarrior, Warrior};
use pool::Connections;
use session::{Connected, Session};

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The CA file cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system refuses a thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
}

/// The database, seen by worker threads. Clones share one pool.
#[derive(Clone)]
pub struct Postgres(Arc<Connections>);

impl Postgres {
    /// A store whose connections are opened in the background: the server starts before its
    /// database does.
    ///
    /// # Errors
    /// When the CA file cannot be used, or the system refuses a thread.
    pub fn new(
        database: &Database,
        sizes: &Sizes,
        registry: &mut Registry,
    ) -> Result<Self, StartError> {
        let (flusher, due) = sync_channel(1);
        let connections = Arc::new(Connections::open(database, sizes, flusher, registry)?);
        let drift = drift_watch::Watch::register(registry);
        flusher::start(Arc::downgrade(&connections), due, drift)?;
        Ok(Self(connections))
    }

    /// The metrics of the pool, which keep it not alive.
    pub fn pool_metrics(&self) -> PoolMetrics {
        self.0.metrics.clone()
    }

    /// The secret that the database keeps for all servers; none when its row was removed.
    ///
    /// # Errors
    /// When the database cannot be reached, or has no such table, or does not show it to this role.
    pub fn secret(&self) -> Result<Option<Secret>, StoreError> {
        self.connect(Access::Aside)?.until_role_limit().secret()
    }
}

impl Store for Postgres {
    type Connected<'s> = Connected<'s>;
    type Session<'s> = Session<'s>;

    fn connect(&self, access: Access) -> Result<Connected<'_>, StoreError> {
        self.0.connect(access)
    }

    fn is_behind(&self) -> bool {
        self.0.backlog.is_behind()
    }

    fn until(connected: Self::Connected<'_>, deadline: Instant) -> Self::Session<'_> {
        connected.until(deadline)
    }

    fn within(connected: Self::Connected<'_>, limit: Duration) -> Self::Session<'_> {
        connected.within(limit)
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

    fn probe(&mut self) -> Result<Readiness, StoreError> {
        Session::probe(self)
    }
}

#[cfg(test)]
mod tests;
