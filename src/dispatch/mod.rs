//! Lanes between the async front end and the blocking workers.
//!
//! Each kind of request has its own lane, with its own bounded queue and its own workers, so that a
//! slow search can never starve a create. A worker that becomes free takes everything that waits
//! and executes it as one batch; where a batch costs much more than a row, some of the workers leave
//! what is little to those that are busy, and help when it is much or when those are slow. What cannot
//! be done in time is refused at the door; what was let in is answered by its deadline, whatever the
//! database does.

mod breaker;
mod job;
mod lane;
mod lookup;
mod metrics;
mod probe;
mod pulse;
mod queue;
#[cfg(test)]
pub(crate) mod scripted;
mod work;
mod worker;

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use tokio::time::Instant;
use uuid::Uuid;

pub use lane::LaneSize;
pub use lookup::{Found, Lookup};
pub use probe::Ask;
pub use work::{Claimed, Work};

use crate::budget::{Budget, Bytes};
use crate::config::Sizes;
use crate::store::{Created, NewRow, Readiness};
use breaker::Breaker;
use lane::Lane;
use metrics::Families;

/// Different terms that one statement may look for. What a statement costs by itself, from the front end to
/// PostgreSQL and back, is as much as many a search.
const SEARCH_TERMS_MAX: usize = 8;

/// Why a request has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Certainly not executed, and never will be.
    NotDone(Reason),
    /// Executed or not: nobody can tell yet.
    Unknown,
    /// The database refused the data itself; nothing was stored.
    Rejected,
}

/// Why a request was certainly not executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its lane's queue was full.
    QueueFull,
    /// No memory is left for it among the requests that wait, or for its answer among those that clients have not
    /// taken yet.
    NoMemory,
    /// It would have waited beyond its deadline.
    TooLate,
    /// The database cannot be reached.
    DatabaseGone,
    /// It waited until its deadline.
    Deadline,
    /// The database undid it, twice.
    RolledBack,
    /// The statement took longer than it may.
    TooCostly,
    /// A read met an error that another attempt is likely to meet again.
    ReadFailed,
    /// Its worker failed before it was sent, or the server stops.
    Lost,
}

/// An answer to a read, rendered; none when there was no memory for it.
pub type Rendered = Option<Bytes>;

/// What executes the batches of each lane, and answers the probe.
pub struct Executors<C, F, S> {
    /// Stores warriors.
    pub create: C,
    /// Finds warriors by id, and counts.
    pub find: F,
    /// Searches; a batch has few different terms.
    pub search: S,
    /// Asks the database what it can do.
    pub probe: Ask,
}

/// The lanes.
pub struct Dispatch {
    create: Lane<NewRow, Created>,
    find: Lane<Lookup, Found<Rendered>>,
    search: Lane<String, Rendered>,
    breaker: Arc<Breaker>,
    probe: SyncSender<probe::Call>,
}

/// The threads of all lanes, to be joined once [`Dispatch`] is dropped.
#[derive(Debug)]
pub struct Threads(Vec<JoinHandle<()>>);

impl Dispatch {
    /// Starts all workers, and registers what they count. Requests that wait are charged to `requests`.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start<C, F, S>(
        sizes: &Sizes,
        executors: Executors<C, F, S>,
        requests: &Budget,
        registry: &mut Registry,
    ) -> std::io::Result<(Arc<Self>, Threads)>
    where
        C: Work<Request = NewRow, Reply = Created>,
        F: Work<Request = Lookup, Reply = Found<Rendered>>,
        S: Work<Request = String, Reply = Rendered>,
    {
        let (probe, calls) = sync_channel(probe::CALLS_MAX);
        let breaker = Arc::new(Breaker::new(probe.clone()));
        let size = |workers, workers_few, batch_least| LaneSize {
            workers,
            workers_few,
            batch_max: sizes.batch_max,
            kinds_max: 1,
            batch_least,
            queue_max: sizes.queue_max,
        };
        let families = Families::register(registry);
        let (create, mut threads) = Lane::start(
            "create",
            // A row costs less than its statement's round trip, plan and commit: half of the workers, with
            // larger batches, store and find more than all of them.
            size(
                sizes.workers_create,
                sizes.workers_create.div_ceil(2),
                sizes.batch_max,
            ),
            Arc::clone(&breaker),
            families.lane("create"),
            (|_, _| true, unstored),
            (requests.clone(), |row: &NewRow| row.warrior.bytes()),
            executors.create,
        )?;
        let (find, more) = Lane::start(
            "find",
            size(
                sizes.workers_find,
                sizes.workers_find.div_ceil(2),
                sizes.batch_max,
            ),
            Arc::clone(&breaker),
            families.lane("find"),
            (|_, _| true, |_| None),
            (requests.clone(), |_| size_of::<Lookup>()),
            executors.find,
        )?;
        threads.extend(more);
        let (search, more) = Lane::start(
            "search",
            LaneSize {
                kinds_max: SEARCH_TERMS_MAX,
                ..size(sizes.workers_search, sizes.workers_search, 1)
            },
            Arc::clone(&breaker),
            families.lane("search"),
            (|a, b| a == b, |_| None),
            (requests.clone(), String::len),
            executors.search,
        )?;
        threads.extend(more);
        threads.push(probe::start(
            calls,
            Arc::downgrade(&breaker),
            executors.probe,
        )?);
        let dispatch = Arc::new(Self {
            create,
            find,
            search,
            breaker,
            probe,
        });
        registry.register_collector(Box::new(Gauges(Arc::downgrade(&dispatch))));
        Ok((dispatch, Threads(threads)))
    }

    /// Stores a warrior.
    ///
    /// # Errors
    /// As [`Failure`] says; at `deadline` at the latest.
    pub async fn create(&self, row: NewRow, deadline: Instant) -> Result<Created, Failure> {
        self.create.call(row, deadline).await
    }

    /// Finds a warrior, if there is one with this id.
    ///
    /// # Errors
    /// As [`Failure`] says; at `deadline` at the latest.
    pub async fn find(&self, id: Uuid, deadline: Instant) -> Result<Option<Bytes>, Failure> {
        match self.find.call(Lookup::Warrior(id), deadline).await? {
            Found::Warrior(None) => Ok(None),
            Found::Warrior(Some(Some(json))) => Ok(Some(json)),
            Found::Warrior(Some(None)) => Err(self.find.refuse(Reason::NoMemory)),
            Found::Count(_) => Err(Failure::NotDone(Reason::ReadFailed)),
        }
    }

    /// Counts all warriors.
    ///
    /// # Errors
    /// As [`Failure`] says; at `deadline` at the latest.
    pub async fn count(&self, deadline: Instant) -> Result<i64, Failure> {
        match self.find.call(Lookup::Count, deadline).await? {
            Found::Count(count) => Ok(count),
            Found::Warrior(_) => Err(Failure::NotDone(Reason::ReadFailed)),
        }
    }

    /// Searches.
    ///
    /// # Errors
    /// As [`Failure`] says; at `deadline` at the latest.
    pub async fn search(&self, term: String, deadline: Instant) -> Result<Bytes, Failure> {
        let rendered = self.search.call(term, deadline).await?;
        rendered.ok_or_else(|| self.search.refuse(Reason::NoMemory))
    }

    /// Asks the database what it can do, within `limit`.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub async fn readiness(&self, limit: Duration) -> Result<Readiness, String> {
        probe::check(&self.probe, limit).await
    }

    /// Whether each lane serves: no answer of the database to the probe tells. `patience` is the longest time
    /// that a request waits.
    ///
    /// # Errors
    /// The first lane that does not, and why, for people.
    pub fn lanes_serve(&self, patience: Duration) -> Result<(), String> {
        (self.create.trouble(patience))
            .or_else(|| self.find.trouble(patience))
            .or_else(|| self.search.trouble(patience))
            .map_or(Ok(()), Err)
    }
}

/// The failure of a create whose reply says that nothing was stored.
fn unstored(created: &Created) -> Option<Failure> {
    match created {
        Created::Refused => Some(Failure::Rejected),
        Created::Vanished => Some(Failure::NotDone(Reason::RolledBack)),
        Created::Stored | Created::Mismatch | Created::Altered => None,
    }
}

impl Threads {
    /// Waits until every worker has finished what it holds, at most `limit`; says whether all have.
    /// A worker whose peer is silent takes longer, and is left to the end of the process. Blocks.
    pub fn join(self, limit: Duration) -> bool {
        let (done, all_done) = sync_channel(1);
        let joining = std::thread::Builder::new()
            .name("join".to_owned())
            .spawn(move || {
                for thread in self.0 {
                    let _ = thread.join();
                }
                let _ = done.send(());
            });
        joining.is_ok() && all_done.recv_timeout(limit).is_ok()
    }
}

impl Reason {
    /// Those that a lane gives before it takes a request in, and for want of memory.
    const REFUSALS: [Self; 5] = [
        Self::QueueFull,
        Self::NoMemory,
        Self::TooLate,
        Self::DatabaseGone,
        Self::Lost,
    ];

    /// The name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::NoMemory => "no_memory",
            Self::TooLate => "too_late",
            Self::DatabaseGone => "database_gone",
            Self::Deadline => "deadline",
            Self::RolledBack => "rolled_back",
            Self::TooCostly => "too_costly",
            Self::ReadFailed => "read_failed",
            Self::Lost => "lost",
        }
    }
}

/// Values that are read when they are asked for.
#[derive(Debug)]
struct Gauges(std::sync::Weak<Dispatch>);

impl std::fmt::Debug for Dispatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dispatch").finish_non_exhaustive()
    }
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(dispatch) = self.0.upgrade() else {
            return Ok(());
        };
        let gauge = |value: usize| ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
        let open = gauge(usize::from(dispatch.breaker.is_open()));
        let help = "1 while the database is gone and requests are refused.";
        open.encode(encoder.encode_descriptor("breaker_open", help, None, open.metric_type())?)?;
        let depths = [
            ("create", dispatch.create.depth()),
            ("find", dispatch.find.depth()),
            ("search", dispatch.search.depth()),
        ];
        let kind = gauge(0).metric_type();
        let help = "Requests that wait in a lane.";
        let mut depth = encoder.encode_descriptor("queue_depth", help, None, kind)?;
        for (lane, waiting) in depths {
            gauge(waiting).encode(depth.encode_family(&[("lane", lane)])?)?;
        }
        let vitals = [
            dispatch.create.vitals(),
            dispatch.find.vitals(),
            dispatch.search.vitals(),
        ];
        let name = "batch_last_success_timestamp_seconds";
        let help =
            "When the database last answered a batch, in seconds since 1970; 0 before the first.";
        let mut last = encoder.encode_descriptor(name, help, None, kind)?;
        for (lane, at, _) in vitals {
            ConstGauge::new(at).encode(last.encode_family(&[("lane", lane)])?)?;
        }
        let help = "Age of the oldest batch that runs, since its last attempt; 0 when none does.";
        let mut oldest = encoder.encode_descriptor("batch_oldest_seconds", help, None, kind)?;
        for (lane, _, age) in vitals {
            ConstGauge::new(age).encode(oldest.encode_family(&[("lane", lane)])?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
