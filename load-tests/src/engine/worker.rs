//! One generator thread: its event loop, its connections, its counts.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use anyhow::Context as _;
use hyper::Uri;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use tokio::task::LocalSet;

use super::pool::Counted;
use super::tally::Tally;
use super::timer::{PreciseTimer, now};
use super::{Interval, Load, Plan, closed, open};
use crate::ledger::Ledger;

/// How many locations a thread remembers for `find` requests.
const KNOWN_MAX: usize = 10_000;

/// A measuring instrument goes before what it measures: on a machine that it shares with the
/// server, being late by a time slice would be measured as the server's latency.
const NICE: i32 = -10;

/// The least span that a share of a core is taken over, in nanoseconds. The last interval of a run
/// can be microseconds long, and a thread that spent them on ending was not short of a core.
const SHARE_SPAN_MIN: u64 = 100_000_000;

pub(super) struct Setup {
    pub(super) plan: Arc<Plan>,
    pub(super) ledger: Option<Arc<Ledger>>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) start: u64,
    pub(super) index: usize,
    pub(super) intervals: SyncSender<Interval>,
}

/// What all tasks of one thread share.
pub(super) struct Worker {
    pub(super) plan: Arc<Plan>,
    pub(super) index: usize,
    pub(super) start: u64,
    pub(super) timer: Rc<PreciseTimer>,
    /// Locations that the server gave to this thread.
    pub(super) known: RefCell<Vec<Uri>>,
    /// Where the oldest of them stands, once there are as many as may be.
    oldest: Cell<usize>,
    users: Cell<u64>,
    nice: i32,
    pub(super) ledger: Option<Arc<Ledger>>,
    stop: Arc<AtomicBool>,
    broken: RefCell<Option<anyhow::Error>>,
    pub(super) idle: RefCell<Vec<Counted>>,
    pub(super) open_connections: Rc<Cell<usize>>,
    pub(super) in_flight: Cell<u64>,
    pub(super) current: RefCell<Current>,
}

/// What was counted since the last hand-over.
pub(super) struct Current {
    tallies: Vec<Tally>,
    warmup: Tally,
    pub(super) examples: Vec<String>,
}

impl Current {
    fn new(endpoints: usize) -> Current {
        Current {
            tallies: vec![Tally::new(); endpoints],
            warmup: Tally::new(),
            examples: Vec::new(),
        }
    }
}

/// A virtual user at work. Counted while it lives, also when its task panics: the run then ends
/// with an error instead of waiting for ever.
pub(super) struct User(Rc<Worker>);

impl Drop for User {
    fn drop(&mut self) {
        self.0.users.set(self.0.users.get() - 1);
        if std::thread::panicking() {
            self.0.give_up(anyhow::anyhow!(
                "a virtual user's task panicked; please report it"
            ));
        }
    }
}

impl Setup {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let raised = rustix::process::setpriority_process(None, NICE);
        let nice = if raised.is_ok() { NICE } else { 0 };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // Look for what the kernel has after fewer tasks than by default, so that a due
            // moment waits behind less.
            .event_interval(16)
            .build()
            .context("cannot start a generator thread's event loop")?;
        LocalSet::new().block_on(&runtime, async move {
            let timer = PreciseTimer::new().context("cannot create a timerfd")?;
            tokio::task::spawn_local(Rc::clone(&timer).drive());
            let worker = Rc::new(Worker {
                index: self.index,
                start: self.start,
                timer,
                known: RefCell::default(),
                oldest: Cell::default(),
                users: Cell::new(0),
                nice,
                ledger: self.ledger,
                stop: self.stop,
                broken: RefCell::new(None),
                idle: RefCell::default(),
                open_connections: Rc::default(),
                in_flight: Cell::new(0),
                current: RefCell::new(Current::new(self.plan.endpoints.len())),
                plan: self.plan,
            });
            worker.run(&self.intervals).await
        })
    }
}

impl Worker {
    async fn run(self: &Rc<Self>, intervals: &SyncSender<Interval>) -> anyhow::Result<()> {
        let work = async {
            match &self.plan.load {
                Load::Open(arrivals) => open::run(self, arrivals).await,
                Load::Closed { connections } => closed::run(self, *connections).await,
            }
        };
        tokio::pin!(work);
        let mut second = 0;
        let mut cpu = ThreadCpu::start();
        loop {
            let boundary = self
                .timer
                .sleep_until(self.start + (second + 1) * 1_000_000_000);
            let ended = tokio::select! {
                biased;
                () = &mut work => true,
                () = boundary => false,
            };
            self.hand_over(second, &mut cpu, intervals, ended);
            if ended {
                break;
            }
            second += 1;
        }
        self.broken.borrow_mut().take().map_or(Ok(()), Err)
    }

    /// Counts a virtual user until the returned value is dropped.
    pub(super) fn enter(self: &Rc<Self>) -> User {
        self.users.set(self.users.get() + 1);
        User(Rc::clone(self))
    }

    /// Waits until every virtual user has ended. Bounded: each request ends at the plan's timeout
    /// at the latest.
    pub(super) async fn users_ended(&self) {
        while self.users.get() > 0 {
            self.timer.sleep_until(now() + 1_000_000).await;
        }
    }

    /// Whether no further request shall be sent.
    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Nanoseconds since the start of the run; zero before it.
    pub(super) fn elapsed(&self, at: u64) -> u64 {
        at.saturating_sub(self.start)
    }

    /// Changes the counts of an endpoint for a request with this moment.
    pub(super) fn count(&self, endpoint: usize, intended: u64, change: impl FnOnce(&mut Tally)) {
        let mut current = self.current.borrow_mut();
        if self.elapsed(intended) < self.plan.warmup.as_nanos() as u64 {
            change(&mut current.warmup);
        } else {
            change(&mut current.tallies[endpoint]);
        }
    }

    /// Remembers a location for `find` requests; once there are many, it replaces the oldest.
    pub(super) fn remember(&self, location: Uri) {
        let mut known = self.known.borrow_mut();
        if known.len() < KNOWN_MAX {
            known.push(location);
        } else {
            known[self.oldest.get()] = location;
            self.oldest.set((self.oldest.get() + 1) % KNOWN_MAX);
        }
    }

    /// A run whose ledger has holes proves nothing, so it ends here.
    pub(super) fn give_up(&self, error: anyhow::Error) {
        self.stop.store(true, Ordering::Relaxed);
        self.broken.borrow_mut().get_or_insert(error);
    }

    fn hand_over(
        &self,
        second: u64,
        cpu: &mut ThreadCpu,
        intervals: &SyncSender<Interval>,
        last: bool,
    ) {
        let counted = self
            .current
            .replace(Current::new(self.plan.endpoints.len()));
        let (cpu, cpu_seconds) = cpu.share();
        let interval = Interval {
            second,
            tallies: counted.tallies,
            warmup: counted.warmup,
            in_flight: self.in_flight.get(),
            connections: self.open_connections.get() as u64,
            cpu,
            cpu_seconds,
            nice: self.nice,
            examples: counted.examples,
        };
        // A reader that is behind must not delay sending: what it cannot take stays counted here
        // and goes with the next second. The last one has nothing left to delay.
        let refused = if last {
            intervals.send(interval).err().map(|error| error.0)
        } else {
            match intervals.try_send(interval) {
                Ok(()) => None,
                Err(TrySendError::Full(interval) | TrySendError::Disconnected(interval)) => {
                    Some(interval)
                }
            }
        };
        if let Some(interval) = refused {
            let mut current = self.current.borrow_mut();
            current.warmup.add(&interval.warmup);
            for (mine, theirs) in current.tallies.iter_mut().zip(&interval.tallies) {
                mine.add(theirs);
            }
        }
    }
}

struct ThreadCpu {
    at: u64,
    used: Duration,
}

impl ThreadCpu {
    fn start() -> ThreadCpu {
        ThreadCpu {
            at: now(),
            used: thread_cpu(),
        }
    }

    /// CPU time since the last call, over wall time and in seconds.
    fn share(&mut self) -> (f64, f64) {
        let (at, used) = (now(), thread_cpu());
        let wall = (at - self.at).max(SHARE_SPAN_MIN);
        let seconds = (used - self.used).as_secs_f64();
        (self.at, self.used) = (at, used);
        (seconds / (wall as f64 / 1e9), seconds)
    }
}

fn thread_cpu() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_THREAD) else {
        return Duration::ZERO;
    };
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(micros.try_into().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_interval_is_no_core_in_use() {
        let mut cpu = ThreadCpu::start();
        while thread_cpu() - cpu.used < Duration::from_millis(2) {
            std::hint::spin_loop();
        }
        let used = cpu.share();
        assert!(used.1 >= 0.002, "{used:?}");
        assert!(used.0 <= used.1 * 10.0 + f64::EPSILON, "{used:?}");
    }
}
