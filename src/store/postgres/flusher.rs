//! Group flush: a thread that empties the pending lists of the search indexes while rows are added, so that no
//! create has to do it in the middle of its own statement. The reasons for a flush stand in [`super::backlog`], the
//! means beside the SQL function.
//!
//! Every server has a flusher, and one of them flushes: the database decides which. It is asked how long the lists are
//! whenever this server has added a share of what is worth a flush, so that many servers together cannot outrun it, and
//! else now and then, since others write, too.

use std::io;
use std::sync::Weak;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use postgres::types::Type;
use postgres::{Client, Row};

use super::backlog::{Asked, QUIET_TIME};
use super::drift_watch::Watch;
use super::error::StoreError;
use super::named::Parameters;
use super::pool::Connections;
use super::served::Served;
use super::session::Connected;
use super::sqlstate;
use crate::store::Access;
use crate::throttle::throttled;

/// Longest time of a flush: longer than PgBouncer's `query_timeout`, which is longer than that of `flush_limit.sql`.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(6);
const FLUSH_LIMIT: &str = include_str!("../sql/flush_limit.sql");
const FLUSH: &str = include_str!("../sql/flush.sql");
const PENDING: &str = include_str!("../sql/pending.sql");

/// Shortest time between two looks at what waits.
const LOOK_REST: Duration = Duration::from_millis(50);
/// The same while another server, or a vacuum, flushes.
const BUSY_REST: Duration = Duration::from_millis(250);
/// Longest time between two looks, once nobody adds anything.
const LOOK_INTERVAL_MAX: Duration = Duration::from_secs(8);

/// Memory of one portion: what is worth a flush is one, and what comes while it is done.
const PORTION_KB_MAX: i32 = 16 * 1024;
/// The same on a machine that is too slow for larger ones. A thousand rows visit nearly every trigram there is, so smaller
/// portions would be done sooner, and the whole of a long list never.
const PORTION_KB_MIN: i32 = 4 * 1024;

/// What the flusher has seen of the lists.
struct Lists {
    /// Of the last look.
    at: Instant,
    waiting: u64,
    /// When they were last found to have changed.
    changed: Instant,
    portion_kb: i32,
    /// Time in which a wake-up is no reason for a look.
    rest: Duration,
    /// Time until the next look without one.
    interval: Duration,
}

/// Starts the flusher, which also watches for [drift](super::drift_watch); it ends when the sender of `due` is dropped,
/// and keeps no store alive.
pub(super) fn start(store: Weak<Connections>, due: Receiver<()>, drift: Watch) -> io::Result<()> {
    thread::Builder::new()
        .name("flusher".to_owned())
        .spawn(move || run(&store, &due, drift))
        .map(drop)
}

fn run(store: &Weak<Connections>, due: &Receiver<()>, mut drift: Watch) {
    let mut lists = Lists::new();
    while lists.wait(due) {
        let Some(store) = store.upgrade() else { return };
        if is_plain(&store) {
            lists.rest(&store);
            continue;
        }
        lists.look(&store);
        drift.look(&store);
    }
}

/// Whether the database has the plain schema, which has nothing to be flushed and keeps nothing that could drift. Then it is
/// asked again, whether it still has, and what others have put on the table.
fn is_plain(store: &Connections) -> bool {
    if store.known.get() == Some(Served::Tuned) {
        return false;
    }
    let asked = store
        .connect(Access::Aside)
        .map(|connected| connected.until_role_limit().look_served());
    match asked {
        Ok(Ok(served)) => matches!(served, Some(Served::Plain(_))),
        // What was known may still be so.
        _ => matches!(store.known.get(), Some(Served::Plain(_))),
    }
}

impl Lists {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            at: now,
            waiting: 0,
            changed: now,
            portion_kb: PORTION_KB_MAX,
            rest: Duration::ZERO,
            interval: QUIET_TIME,
        }
    }

    /// Waits until it is time to look; false when the store is gone.
    fn wait(&self, due: &Receiver<()>) -> bool {
        let earliest = self.at + self.rest;
        let latest = self.at + self.interval.max(self.rest);
        loop {
            let left = latest.saturating_duration_since(Instant::now());
            match due.recv_timeout(left) {
                Ok(()) if Instant::now() < earliest => {}
                Ok(()) | Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    /// Nothing waits, and nothing will.
    fn rest(&mut self, store: &Connections) {
        store.backlog.forget();
        self.at = Instant::now();
        self.rest = LOOK_REST;
        self.see(0);
    }

    /// Asks what waits, and flushes it if that is due.
    fn look(&mut self, store: &Connections) {
        let asked = store.backlog.asking();
        self.rest = match pending(store, asked) {
            Ok((waiting, read)) => {
                store.backlog.learn(asked, waiting, read);
                if waiting < self.waiting {
                    // Another server has flushed.
                    store.backlog.flushed();
                }
                self.see(waiting);
                let quiet = self.changed.elapsed() >= QUIET_TIME;
                match store.backlog.due(quiet) {
                    Some(least) => self.flush(store, least),
                    None => {
                        store.backlog.flushed();
                        LOOK_REST
                    }
                }
            }
            // A database that is too busy to say what waits has no less to flush.
            Err(e) if e.is_timeout() => {
                warn(&e);
                self.interval = QUIET_TIME;
                QUIET_TIME
            }
            Err(e) => {
                store.backlog.forget();
                // A schema that is missing or older is reported by /ready, a database that is gone by the pool.
                let elsewhere =
                    |state| sqlstate::is_missing_function(state) || sqlstate::is_pooler(state);
                match e.sqlstate() {
                    Some(state) if !elsewhere(state) => warn(&e),
                    _ => tracing::debug!(error = %e, "the pending lists were not looked at"),
                }
                QUIET_TIME
            }
        };
        self.at = Instant::now();
    }

    fn see(&mut self, waiting: u64) {
        if waiting == self.waiting {
            self.interval = (self.interval * 2).min(LOOK_INTERVAL_MAX);
            return;
        }
        // Also where they are shorter: another server has flushed, and rows may have come since.
        self.changed = Instant::now();
        self.interval = QUIET_TIME;
        self.waiting = waiting;
    }

    /// Flushes, and gives the time to rest.
    fn flush(&mut self, store: &Connections, least: u64) -> Duration {
        match flush(store, least, self.portion_kb) {
            Ok(Some(left)) => {
                // What came meanwhile is in what is left, but for the last moment, of which the next look hears.
                store.backlog.learn(store.backlog.asking(), left, 0);
                store.backlog.flushed();
                self.waiting = left;
                self.portion_kb = (self.portion_kb * 2).min(PORTION_KB_MAX);
                LOOK_REST
            }
            Ok(None) => BUSY_REST,
            // The portions that were done stay done, and the next flush goes on with less to compete with.
            Err(e) if e.is_timeout() => {
                warn(&e);
                self.portion_kb = (self.portion_kb / 2).max(PORTION_KB_MIN);
                self.interval = QUIET_TIME;
                store.backlog.cut_off();
                LOOK_REST
            }
            Err(e) => {
                warn(&e);
                store.backlog.forget();
                QUIET_TIME
            }
        }
    }
}

fn warn(e: &StoreError) {
    throttled!(
        WARN,
        "the pending lists of the search indexes were not flushed",
        lane = "",
        reason = e.sqlstate().unwrap_or(e.class.name()).to_owned(),
        error = %e
    );
}

/// The bytes that wait, and those that searches have read of them.
fn pending(store: &Connections, asked: Asked) -> Result<(u64, u64), StoreError> {
    let connected = store.connect(Access::Aside)?;
    let newly_read = i64::try_from(asked.read).unwrap_or(i64::MAX);
    let rows = (connected.until_role_limit()).rows(PENDING, &[(&newly_read, Type::INT8)])?;
    let row = rows
        .first()
        .ok_or_else(|| StoreError::malformed("pending.sql gave no row"))?;
    let bytes = |column| row.try_get::<_, i64>(column).map(i64::cast_unsigned);
    Ok((
        bytes(0).map_err(StoreError::of_row)?,
        bytes(1).map_err(StoreError::of_row)?,
    ))
}

/// The bytes that wait after a flush; none where somebody else is at it.
fn flush(store: &Connections, least: u64, portion_kb: i32) -> Result<Option<u64>, StoreError> {
    let mut connected = store.connect(Access::Aside)?;
    let least = i64::try_from(least).unwrap_or(i64::MAX);
    let row = connected.flush(&[(&least, Type::INT8), (&portion_kb, Type::INT4)])?;
    let left: Option<i64> = row
        .ok_or_else(|| StoreError::malformed("flush.sql gave no row"))?
        .try_get(0)
        .map_err(StoreError::of_row)?;
    Ok(left.map(i64::cast_unsigned))
}

impl Connected<'_> {
    /// Empties the pending lists of the search indexes.
    fn flush(&mut self, params: Parameters<'_>) -> Result<Option<Row>, StoreError> {
        self.run_unrepaired(FLUSH_TIMEOUT, |client: &mut Client| {
            let mut transaction = client.transaction()?;
            transaction.batch_execute(FLUSH_LIMIT)?;
            let row = transaction.query_typed(FLUSH, params)?.pop();
            transaction.commit()?;
            Ok(row)
        })
        .map_err(StoreError::of_read)
    }
}
