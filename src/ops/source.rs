//! The source of figures: reads each part from where it is counted, and keeps those of the last seconds to judge what binds.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use super::binding::{judge, unknown};
use super::figures::{Binds, COMMIT, Figures, Machine, OpenDescriptors, Process};
use super::{RequestMetrics, StageMetrics};
use crate::dispatch::Dispatch;
use crate::store::{PoolMetrics, Samples};

/// The time over which it is judged what binds.
const JUDGED: Duration = Duration::from_secs(5);
/// Time between two figures that are kept for that.
const KEPT_EVERY: Duration = Duration::from_secs(1);

/// Where the parts of the figures are counted.
pub struct Parts {
    /// Bytes of memory that the server may use.
    pub memory_limit: u64,
    /// Counted here, for the metrics, too.
    pub descriptors: OpenDescriptors,
    /// The lanes; those of a server that has ended are no more.
    pub dispatch: Weak<Dispatch>,
    /// Answers.
    pub requests: RequestMetrics,
    /// Stages.
    pub stages: StageMetrics,
    /// r2d2's pool; none on a DuckDB file.
    pub pool: Option<PoolMetrics>,
    /// PgBouncer and PostgreSQL; none without a role for it.
    pub samples: Option<Samples>,
}

/// Figures whenever they are asked for.
pub struct Source {
    started: Instant,
    parts: Parts,
    /// Those of the last seconds, the oldest first.
    earlier: Mutex<VecDeque<(Instant, Figures)>>,
    /// Ends the thread that keeps them when it is dropped.
    _end: SyncSender<()>,
}

impl Source {
    /// A source, and the thread that keeps figures, which ends when the source is dropped.
    ///
    /// # Errors
    /// When the system refuses the thread.
    pub fn start(parts: Parts) -> io::Result<Arc<Self>> {
        let (end, ended) = sync_channel(0);
        let source = Arc::new(Self {
            started: Instant::now(),
            parts,
            earlier: Mutex::default(),
            _end: end,
        });
        let kept = Arc::downgrade(&source);
        let keep = move || {
            while let Some(source) = kept.upgrade() {
                source.keep();
                drop(source);
                match ended.recv_timeout(KEPT_EVERY) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        let thread = thread::Builder::new().name("figures".to_owned());
        thread.spawn(keep)?;
        Ok(source)
    }

    /// The figures of now, and what bound over the last seconds.
    pub fn read(&self) -> Figures {
        let mut figures = self.without_judgement();
        let earlier = self.earlier.lock();
        figures.binds = match earlier.front() {
            Some((_, before)) => judge(before, &figures),
            None => unknown(),
        };
        figures
    }

    fn without_judgement(&self) -> Figures {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let lanes = self.parts.dispatch.upgrade();
        let (breaker, lanes) = lanes.map(|lanes| lanes.figures()).unwrap_or_default();
        let Parts {
            memory_limit,
            descriptors,
            requests,
            stages,
            pool,
            samples,
            ..
        } = &self.parts;
        Figures {
            at: now.map_or(0.0, |since| since.as_secs_f64()),
            uptime_seconds: self.started.elapsed().as_secs_f64(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: COMMIT.map(str::to_owned),
            lanes,
            breaker_open: breaker.open,
            outage_seconds: breaker.outage_seconds,
            answers: requests.figures(),
            stages: stages.figures(),
            r2d2: pool.as_ref().map(PoolMetrics::figures),
            pgbouncer: samples.as_ref().and_then(Samples::pgbouncer),
            postgres: samples.as_ref().map(Samples::postgres),
            process: Process::read(*memory_limit, descriptors),
            machine: Machine::read(),
            binds: Binds::default(),
        }
    }

    fn keep(&self) {
        self.parts.descriptors.count();
        let (now, figures) = (Instant::now(), self.without_judgement());
        let mut earlier = self.earlier.lock();
        earlier.push_back((now, figures));
        while earlier.len() > 1 && earlier[1].0 + JUDGED <= now {
            earlier.pop_front();
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}
