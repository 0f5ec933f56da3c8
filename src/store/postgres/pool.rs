//! The connection pool: r2d2, sized so that a checkout never waits, with logins in the background.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::{Duration, Instant};

use prometheus_client::registry::Registry;
use r2d2::{Pool, PooledConnection};
use scheduled_thread_pool::ScheduledThreadPool;

use super::backlog::Backlog;
use super::connection::Manager;
use super::error::StoreError;
use super::in_turn::InTurn;
use super::liveness::Liveness;
use super::named::Forms;
use super::pool_metrics::{LoginFailures, PoolMetrics};
use super::served::Known;
use super::session::Connected;
use super::tls::TlsError;
use crate::config::{Database, Sizes};
use crate::store::Access;

/// Longest wait for a connection; there is one for each worker, so a wait means that it is broken.
const CHECKOUT_TIMEOUT: Duration = Duration::from_millis(500);
/// The same while logins fail: r2d2 would let each batch wait for a login that is not to be had.
const CHECKOUT_TIMEOUT_FAILING: Duration = Duration::from_millis(20);

/// Pause of r2d2 before it repeats a failed login, for which it takes half of its connection timeout; checkouts have their
/// own. While logins fail, [`Liveness`] sets the pace of all of them.
const LOGIN_RETRY: Duration = Duration::from_millis(10);

/// The pool, and the state that its sessions share.
pub(super) struct Connections {
    /// There until the last owner is dropped.
    pool: Option<Pool<Manager>>,
    liveness: Liveness,
    pub(super) metrics: PoolMetrics,
    /// Ends the flusher when it is dropped.
    pub(super) backlog: Backlog,
    /// The schema that was seen last.
    pub(super) known: Known,
}

impl Connections {
    /// Connections that are opened in the background: the server starts before its database does. `flusher` is
    /// woken when a flush is due.
    ///
    /// # Errors
    /// When the CA file cannot be used.
    pub(super) fn open(
        database: &Database,
        sizes: &Sizes,
        flusher: SyncSender<()>,
        registry: &mut Registry,
    ) -> Result<Self, TlsError> {
        let size = u32::try_from(sizes.pool()).unwrap_or(u32::MAX);
        let idle_min = u32::try_from(sizes.pool_min).unwrap_or(u32::MAX).min(size);
        let liveness = Liveness::default();
        let metrics = PoolMetrics::register(registry, sizes.pool());
        // A login that takes all of its time must not hold up the others.
        let login_threads = ScheduledThreadPool::builder()
            .num_threads(sizes.pool())
            .thread_name_pattern("r2d2-{}")
            .build();
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(idle_min))
            .connection_timeout(2 * LOGIN_RETRY)
            // All connections of one start would die together; PgBouncer renews the server's side.
            .max_lifetime(None)
            .idle_timeout(None)
            .event_handler(Box::new(metrics.clone()))
            .error_handler(Box::new(LoginFailures))
            .thread_pool(Arc::new(login_threads))
            .build_unchecked(Manager::new(
                database.clone(),
                liveness.clone(),
                metrics.clone(),
                Forms::register(registry),
            )?);
        Ok(Self {
            pool: Some(pool),
            liveness,
            metrics,
            backlog: Backlog::new(flusher),
            known: Known::default(),
        })
    }

    /// A live connection, for an insert in the turn of its writer.
    ///
    /// # Errors
    /// [`Class::NotSent`](super::error::Class::NotSent) when there is no connection.
    pub(super) fn connect(&self, access: Access) -> Result<Connected<'_>, StoreError> {
        let turn = || match access {
            Access::Insert => self.backlog.turn(),
            Access::Read | Access::Aside => None,
        };
        let connection = InTurn::take(turn, || self.checkout(access))?;
        Ok(Connected::new(
            connection,
            &self.liveness,
            &self.backlog,
            &self.known,
        ))
    }

    fn checkout(&self, access: Access) -> Result<PooledConnection<Manager>, StoreError> {
        let Some(pool) = &self.pool else {
            unreachable!("only drop takes the pool")
        };
        let timeout = match self.liveness.last_failure() {
            Some(_) => CHECKOUT_TIMEOUT_FAILING,
            None => CHECKOUT_TIMEOUT,
        };
        let began = Instant::now();
        pool.get_timeout(timeout).map_err(|e| {
            // The probe asks again and again while the database is away.
            if access != Access::Aside {
                self.metrics.timed_out(began.elapsed());
            }
            StoreError::not_sent(match self.liveness.last_failure() {
                Some(why) => format!("no connection: {why}"),
                None => format!("no connection: {e}"),
            })
        })
    }
}

impl Drop for Connections {
    /// Closing a client blocks, and the last owner may be dropped on an async thread. A system that refuses the
    /// thread drops its function on this one, so that leaks the clients instead.
    fn drop(&mut self) {
        let pool = ManuallyDrop::new(self.pool.take());
        let _ = thread::Builder::new()
            .name("close".to_owned())
            .spawn(move || drop(ManuallyDrop::into_inner(pool)));
    }
}
