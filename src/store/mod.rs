//! Data access: statements with typed parameters in, outcomes with a class out.
//!
//! Every statement stands in a `.sql` file, takes its parameters typed, and goes out unnamed in one
//! round trip, so that any pooler in transaction mode can carry it. A statement is its own
//! transaction, and has succeeded only when the server is ready for the next one.
//!
//! A caller [connects](Store::connect), says [until when](Connected::until) it waits, and then runs statements on that
//! [`Session`]. A failure before the session was certainly no failure of a statement.

mod pool;

mod in_turn;

mod session;

mod create;

mod read;

mod readiness;

mod decode;

mod error;

mod sqlstate;

mod pooler_texts;

mod mend;

mod replication;

mod connection;

mod login;

mod refusal;

mod deadline;

mod resolver;

mod tls;

mod pool_metrics;

mod backlog;

mod flusher;

mod drift;

mod drift_watch;

pub mod schema;

mod start;

mod pooler;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use prometheus_client::registry::Registry;

pub use create::{Created, NewRow};
pub use decode::{Date, Moment, Texts};
pub(crate) use error::chain;
pub use error::{Class, StoreError};
pub use login::{LoginError, connect, connect_direct};
pub use pool::Access;
pub use pooler::shortcomings as pooler_shortcomings;
pub use readiness::{Readiness, Writes};
pub use refusal::Refusal;
pub use session::{Connected, Session};
pub use start::Look;
pub use tls::TlsError;

use crate::config::{Database, Secret, Sizes};
use pool::Connections;

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
pub struct Store(Arc<Connections>);

impl Store {
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

    /// A live connection. For [`Access::Insert`] this waits while writers have to take turns.
    ///
    /// # Errors
    /// [`Class::NotSent`] when there is none to be had.
    pub fn connect(&self, access: Access) -> Result<Connected<'_>, StoreError> {
        self.0.connect(access)
    }

    /// The secret that the database keeps for all servers; none when its row was removed.
    ///
    /// # Errors
    /// When the database cannot be reached, or has no such table, or does not show it to this role.
    pub fn secret(&self) -> Result<Option<Secret>, StoreError> {
        self.connect(Access::Other)?.until_role_limit().secret()
    }
}

#[cfg(test)]
mod tests;
