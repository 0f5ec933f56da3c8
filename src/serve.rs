//! Wiring: store, lanes, API and both listeners become a server, which ends by a graceful drain.

mod opening;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::watch;
use tokio::task::JoinHandle;
#[cfg(feature = "duckdb")]
use warrior_duckdb::Library;

#[cfg(feature = "duckdb")]
use crate::config::Local;
use crate::config::{Database, Secret, Server};
use crate::dispatch::Threads;
use crate::http::Phase;
use crate::idempotency_secret::{self, Reading};
#[cfg(feature = "duckdb")]
use crate::store::DuckDb;
use crate::store::{Postgres, Store, schema};
use opening::Opening;

/// A running server.
pub struct Running {
    /// The address of the API.
    pub public: SocketAddr,
    /// The address of `/live`, `/ready`, `/metrics` and `/figures`.
    pub admin: SocketAddr,
    drain_delay: Duration,
    public_phase: watch::Sender<Phase>,
    admin_phase: watch::Sender<Phase>,
    public_task: JoinHandle<()>,
    admin_task: JoinHandle<()>,
    threads: Threads,
    /// Ends with the server.
    _secret: Reading,
}

/// Starts a server on PostgreSQL. It listens when this returns, whether the database is there or not; `/ready` says
/// which. Without a `secret`, the one that the database keeps is read; creates are refused until it is.
///
/// # Errors
/// When an address cannot be listened on, the CA file cannot be used, or the system refuses threads.
pub async fn start(
    server: &Server,
    database: &Database,
    secret: impl Into<Option<&Secret>>,
) -> anyhow::Result<Running> {
    start_within(server, database, secret, |store| store).await
}

/// The same, with lanes that know the store within what `wrap` puts around it: faults of a store that no database can be
/// made to have.
///
/// # Errors
/// As [`start`].
pub async fn start_within<S: Store>(
    server: &Server,
    database: &Database,
    secret: impl Into<Option<&Secret>>,
    wrap: impl FnOnce(Postgres) -> S,
) -> anyhow::Result<Running> {
    let mut opening = Opening::listen(server, memory_limit(server))?;
    let store = Postgres::new(database, &server.sizes, &mut opening.registry)?;
    opening.pool = Some(store.pool_metrics());
    opening.sample(server.monitoring.clone())?;
    let lanes = opening.registry.sub_registry_with_prefix("warrior");
    let mut reading = idempotency_secret::keys(secret.into(), &store, lanes)
        .context("the thread that reads the secret cannot be started")?;
    let (dispatch, threads, opening) = opening.lanes(server, wrap(store))?;
    // Where the database is there, the first create must not come too early.
    reading.wait(database.connect_timeout).await;
    let version = schema::current_version();
    opening.serve(server, dispatch, threads, reading, version)
}

/// Opens the DuckDB file of `local`, or makes it. Half of the server's memory is for DuckDB. Blocks.
///
/// # Errors
/// When there is no library, or the file cannot be opened or served.
#[cfg(feature = "duckdb")]
pub fn open_local(server: &Server, local: &Local) -> anyhow::Result<DuckDb> {
    let library = Library::find(local.library.as_deref())?;
    Ok(DuckDb::open(&library, local, memory_limit(server) / 2)?)
}

/// Starts a server on a DuckDB file. Without a `secret`, the one that the file keeps is taken.
///
/// # Errors
/// When an address cannot be listened on, the file takes no secret, or the system refuses threads.
#[cfg(feature = "duckdb")]
pub async fn start_local(
    server: &Server,
    store: DuckDb,
    secret: Option<&Secret>,
) -> anyhow::Result<Running> {
    let mut opening = Opening::listen(server, memory_limit(server) / 2)?;
    let lanes = opening.registry.sub_registry_with_prefix("warrior");
    let reading = match secret {
        Some(secret) => Reading::known(secret, "configured", lanes),
        None => Reading::known(&store.secret()?, "file", lanes),
    };
    let (dispatch, threads, opening) = opening.lanes(server, store)?;
    // The table has no version: it was looked at when the file was opened.
    opening.serve(server, dispatch, threads, reading, 0)
}

impl Running {
    /// Graceful drain: `/ready` says no and each answer ends its connection; after the drain delay the listener
    /// closes, open requests finish, and the workers end. Their threads can be joined where blocking is allowed.
    pub async fn stop(self) -> Threads {
        for phase in [&self.public_phase, &self.admin_phase] {
            phase.send_replace(Phase::Draining);
        }
        tokio::time::sleep(self.drain_delay).await;
        self.public_phase.send_replace(Phase::Closing);
        let _ = self.public_task.await;
        self.admin_phase.send_replace(Phase::Closing);
        let _ = self.admin_task.await;
        self.threads
    }
}

/// Bytes that this process may use.
fn memory_limit(server: &Server) -> u64 {
    (server.memory).unwrap_or_else(warrior_stack::memory::limit_bytes)
}
