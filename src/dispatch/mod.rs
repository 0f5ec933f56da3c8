//! Lanes between the async front end and the blocking workers: bounded queues, admission control, natural batching.
//!
//! Each kind of request has its own lane, with its own bounded queue and its own workers, so that a
//! slow search can never starve a create. A worker that becomes free takes all that waits
//! and executes it as one batch; where a batch costs much more than a row, some of the workers leave
//! a short queue to those that are busy, and help when it grows or when those are slow. A request that cannot
//! be done in time is refused at the door; one that was let in is answered by its deadline, also while the
//! database keeps silent. While the database cannot be reached, what was not sent waits for it, unless that has lasted for
//! half of a deadline: then it is refused at the door.

mod outcome;

mod lookup;

mod executor;

mod timeline;

mod job;

mod queue;

mod terms;

mod pace;

mod threads;

mod pulse;

mod coalesce;

mod priority;

mod breaker;

mod probe;

mod attempts;

mod figures;

mod metrics;

mod lane_state;

mod worker;

mod lane;

#[cfg(test)]
pub(crate) mod scripted;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::time::Instant;
use uuid::Uuid;

pub use coalesce::coalesce_wakeups;
pub use executor::{Claimed, Executor, Executors};
pub use figures::{BreakerFigures, LaneFigures, StageFigures};
pub use lookup::{Lookup, LookupReply};
pub use outcome::{Failure, Reason};
pub use priority::Behind;
pub use probe::Ask;
pub use threads::Threads;
pub use timeline::{LANES, Stages, Timeline};

use crate::budget::{Budget, Bytes};
use crate::config::Sizes;
use crate::store::{Created, NewRow, Readiness};
use breaker::Breaker;
use lane::Lane;
use lane_state::{LaneContext, LaneSpec};
use metrics::{Families, Gauges, Reading};
use pace::LaneSize;
use priority::Priority;

/// Different terms that one statement may look for. Statements have a fixed cost, from the front end to PostgreSQL and
/// back, as large as that of many a search.
const SEARCH_TERMS_MAX: usize = 8;

/// An answer to a read, rendered; none when there was no memory for it.
pub type Rendered = Option<Bytes>;

/// The lanes.
pub struct Dispatch {
    create: Lane<NewRow, Created>,
    find: Lane<Lookup, LookupReply<Rendered>>,
    search: Lane<String, Rendered>,
    breaker: Arc<Breaker>,
}

impl Dispatch {
    /// Starts all workers, and registers their metrics. Requests have `deadline` from the first to the last, and are
    /// charged to `requests_budget` while they wait.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start<C, F, S>(
        sizes: &Sizes,
        executors: Executors<C, F, S>,
        deadline: Duration,
        requests_budget: &Budget,
        registry: &mut Registry,
    ) -> io::Result<(Arc<Self>, Threads)>
    where
        C: Executor<Request = NewRow, Reply = Created>,
        F: Executor<Request = Lookup, Reply = LookupReply<Rendered>>,
        S: Executor<Request = String, Reply = Rendered>,
    {
        let (breaker, probe) = probe::start(executors.probe, deadline)?;
        let context = LaneContext {
            breaker: Arc::clone(&breaker),
            requests_budget: requests_budget.clone(),
            metrics: Families::register(registry),
            priority: Arc::new(Priority::new(executors.is_behind)),
        };
        let mut threads = vec![probe];
        let create = Lane::start(
            LaneSpec {
                name: LANES[0],
                number: 0,
                size: LaneSize::sharing_statements(sizes, sizes.workers_create),
                terms_max: None,
                bytes: |row: &NewRow| row.warrior.bytes(),
                refused: unstored,
                yields: false,
            },
            &context,
            executors.create,
            &mut threads,
        )?;
        let find = Lane::start(
            LaneSpec {
                name: LANES[1],
                number: 1,
                size: LaneSize::sharing_statements(sizes, sizes.workers_find),
                terms_max: None,
                bytes: |_| size_of::<Lookup>(),
                refused: |_| None,
                yields: false,
            },
            &context,
            executors.find,
            &mut threads,
        )?;
        let search = Lane::start(
            LaneSpec {
                name: LANES[2],
                number: 2,
                size: LaneSize {
                    base_workers: sizes.workers_search,
                    assumed_batch_min: 1,
                    ..LaneSize::sharing_statements(sizes, sizes.workers_search)
                },
                terms_max: Some(SEARCH_TERMS_MAX),
                bytes: String::len,
                refused: |_| None,
                yields: true,
            },
            &context,
            executors.search,
            &mut threads,
        )?;
        let dispatch = Arc::new(Self {
            create,
            find,
            search,
            breaker,
        });
        let watched = Arc::downgrade(&dispatch);
        registry.register_collector(Box::new(Gauges(move || {
            watched.upgrade().map(|dispatch| dispatch.reading())
        })));
        Ok((dispatch, Threads::new(threads)))
    }

    /// Sheds a create that is not parsed yet.
    ///
    /// # Errors
    /// [`Failure::NotDone`] when it would be refused whatever it says.
    pub fn shed_create(&self, timeline: &mut Timeline) -> Result<(), Failure> {
        self.create.shed(timeline)
    }

    /// Stores a warrior.
    ///
    /// # Errors
    /// As [`Failure`] says; at the deadline of its `timeline` at the latest.
    pub async fn create(&self, row: NewRow, timeline: &mut Timeline) -> Result<Created, Failure> {
        self.create.call(row, timeline).await
    }

    /// Finds a warrior, if there is one with this id.
    ///
    /// # Errors
    /// As [`Failure`] says; at the deadline of its `timeline` at the latest.
    pub async fn find(&self, id: Uuid, timeline: &mut Timeline) -> Result<Option<Bytes>, Failure> {
        match self.find.call(Lookup::Warrior(id), timeline).await? {
            LookupReply::Warrior(None) => Ok(None),
            LookupReply::Warrior(Some(Some(json))) => Ok(Some(json)),
            LookupReply::Warrior(Some(None)) => Err(self.find.refuse(Reason::NoMemory)),
            LookupReply::Count(_) => Err(Failure::NotDone(Reason::ReadFailed)),
        }
    }

    /// Counts all warriors.
    ///
    /// # Errors
    /// As [`Failure`] says; at the deadline of its `timeline` at the latest.
    pub async fn count(&self, timeline: &mut Timeline) -> Result<i64, Failure> {
        match self.find.call(Lookup::Count, timeline).await? {
            LookupReply::Count(count) => Ok(count),
            LookupReply::Warrior(_) => Err(Failure::NotDone(Reason::ReadFailed)),
        }
    }

    /// Searches.
    ///
    /// # Errors
    /// As [`Failure`] says; at the deadline of its `timeline` at the latest.
    pub async fn search(&self, term: String, timeline: &mut Timeline) -> Result<Bytes, Failure> {
        let rendered = self.search.call(term, timeline).await?;
        rendered.ok_or_else(|| self.search.refuse(Reason::NoMemory))
    }

    /// Asks the database for its fitness, within `limit`; none while requests wait for it to come back.
    ///
    /// # Errors
    /// A sentence for people.
    pub async fn readiness(&self, limit: Duration) -> Result<Option<Readiness>, String> {
        self.breaker.check(limit).await
    }

    /// Whether each lane serves: no answer of the database to the probe says so. `deadline` is the longest time
    /// that a request waits.
    ///
    /// # Errors
    /// The first lane that does not, and why, for people.
    pub fn lanes_serve(&self, deadline: Duration) -> Result<(), String> {
        (self.create.trouble(deadline))
            .or_else(|| self.find.trouble(deadline))
            .or_else(|| self.search.trouble(deadline))
            .map_or(Ok(()), Err)
    }

    /// The state of the breaker, and the figures of each lane.
    pub fn figures(&self) -> (BreakerFigures, Vec<LaneFigures>) {
        let lanes = vec![
            self.create.state.figures(),
            self.find.state.figures(),
            self.search.state.figures(),
        ];
        (self.breaker.figures(Instant::now()), lanes)
    }

    fn reading(&self) -> Reading {
        let now = Instant::now();
        Reading {
            breaker: self.breaker.figures(now),
            lanes: [
                self.create.state.vitals(),
                self.find.state.vitals(),
                self.search.state.vitals(),
            ],
        }
    }
}

impl fmt::Debug for Dispatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatch").finish_non_exhaustive()
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

#[cfg(test)]
mod tests;
