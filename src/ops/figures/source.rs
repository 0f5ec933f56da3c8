//! The source of figures: reads each part from where it is counted.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use super::{Binds, Figures, Machine, Process};
use crate::dispatch::Dispatch;
use crate::ops::RequestMetrics;
use crate::ops::binding::{judge, unknown};
use crate::store::PoolMetrics;

/// The time over which it is judged what binds.
const JUDGED: Duration = Duration::from_secs(5);
/// The longest time over which it is.
const JUDGED_MAX: Duration = Duration::from_secs(30);
/// Time between two figures that are kept for that, where somebody asks for them that often.
const KEPT_EVERY: Duration = Duration::from_secs(1);

/// Where the parts of the figures are counted.
pub struct Source {
    started: Instant,
    memory_limit_bytes: u64,
    dispatch: Arc<Dispatch>,
    requests: RequestMetrics,
    pool: Option<PoolMetrics>,
    /// Earlier figures, the oldest first: from [`JUDGED`] ago or before, to the last.
    earlier: Mutex<VecDeque<(Instant, Figures)>>,
}

impl Source {
    /// A source of the figures of these parts; `pool` where there is one.
    pub fn new(
        memory_limit_bytes: u64,
        dispatch: Arc<Dispatch>,
        requests: RequestMetrics,
        pool: Option<PoolMetrics>,
    ) -> Self {
        Self {
            started: Instant::now(),
            memory_limit_bytes,
            dispatch,
            requests,
            pool,
            earlier: Mutex::default(),
        }
    }

    /// The figures of now.
    pub fn read(&self) -> Figures {
        let now = Instant::now();
        let (breaker_open, lanes) = self.dispatch.figures();
        let mut figures = Figures {
            at: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0.0, |since| since.as_secs_f64()),
            uptime_seconds: now.duration_since(self.started).as_secs_f64(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("WARRIOR_API_COMMIT").map(str::to_owned),
            lanes,
            breaker_open,
            answers: self.requests.figures(),
            stages: BTreeMap::new(),
            r2d2: self.pool.as_ref().map(PoolMetrics::figures),
            pgbouncer: None,
            postgres: None,
            process: Process::read(self.memory_limit_bytes),
            machine: Machine::read(),
            binds: Binds::default(),
        };
        figures.binds = self.judged(now, &figures);
        figures
    }

    /// What bound since the oldest figures that are kept. Keeps these, too, when the last are old enough.
    fn judged(&self, now: Instant, figures: &Figures) -> Binds {
        let mut earlier = self.earlier.lock();
        while earlier.len() > 1 && earlier[1].0 + JUDGED <= now {
            earlier.pop_front();
        }
        // Between figures that nobody asked for in between, much has happened that is over.
        earlier.retain(|(at, _)| *at + JUDGED_MAX > now);
        let binds = (earlier.front()).map_or_else(unknown, |(_, before)| judge(before, figures));
        let keeps = (earlier.back()).is_none_or(|(at, _)| *at + KEPT_EVERY <= now);
        if keeps {
            earlier.push_back((now, figures.clone()));
        }
        binds
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}
