//! Sending on time and measuring: one thread, one event loop, nothing shared while it runs.
//!
//! Every generator thread takes every n-th arrival of the schedule, sends each at its moment
//! whatever the server does, and hands over what it counted once a second.

mod closed;
mod connection;
mod exchange;
mod open;
mod pool;
mod tally;
mod timer;
mod worker;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

pub use connection::{Answer, Connection, Failure};
pub use tally::{Outcome, Tally, Unsent};
pub use timer::now;

use crate::ledger::Ledger;
use crate::target::Target;
use crate::workload::Maker;

/// Everything that a run does, decided before it starts.
#[derive(Debug)]
pub struct Plan {
    /// Where requests go.
    pub target: Target,
    /// The names of the rows of the result; scenarios refer to them by index.
    pub endpoints: Vec<String>,
    /// What is sent.
    pub scenarios: Vec<Scenario>,
    /// When.
    pub load: Load,
    /// For how long requests are begun.
    pub length: Duration,
    /// Over which connections.
    pub connections: ConnectionMode,
    /// At most this many connections at once, over all threads; more would be the generator's
    /// limit, and is reported as such.
    pub connections_max: usize,
    /// A request without a complete answer after this long is given up.
    pub timeout: Duration,
    /// When one request in a hundred begins later than this, the generator was too slow.
    pub lateness_max: Duration,
    /// Requests with a moment before this are sent and counted, but not measured.
    pub warmup: Duration,
    /// Generator threads.
    pub threads: usize,
    /// Draws everything that is random.
    pub seed: u64,
}

impl Plan {
    /// How long requests are begun and measured: the whole length without the warm-up.
    pub fn measured_seconds(&self) -> f64 {
        (self.length.as_secs_f64() - self.warmup.as_secs_f64()).max(0.001)
    }

    /// Whether anything in it can store a row.
    pub fn creates(&self) -> bool {
        self.scenarios
            .iter()
            .any(|scenario| scenario.maker.creates())
    }
}

/// One kind of request within a run.
#[derive(Debug)]
pub struct Scenario {
    /// The row of the result.
    pub endpoint: usize,
    /// Makes the requests.
    pub maker: Maker,
    /// What follows each 201.
    pub follow: Option<Follow>,
    /// Its share in closed mode.
    pub weight: u32,
}

/// After each 201: a GET of its `Location`.
#[derive(Clone, Debug)]
pub struct Follow {
    /// The row of the result.
    pub endpoint: usize,
    /// The pause before it is drawn between these.
    pub after: (Duration, Duration),
}

/// When requests are sent.
#[derive(Debug)]
pub enum Load {
    /// Open model: at these moments, ascending.
    Open(Vec<Arrival>),
    /// Closed model: each connection sends the next request when it has the answer.
    Closed {
        /// How many connections.
        connections: usize,
    },
}

/// One planned request.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Nanoseconds from the start of the run.
    pub at: u64,
    /// Which scenario.
    pub scenario: u32,
    /// Which of the scenario's requests.
    pub index: u32,
}

/// How requests share connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionMode {
    /// Kept-alive connections, opened when none is idle.
    Shared,
    /// Each virtual user opens a connection of its own and closes it at its end.
    PerUser,
}

/// What one thread did in one second.
#[derive(Debug)]
pub struct Interval {
    /// Seconds from the start of the run.
    pub second: u64,
    /// Per endpoint.
    pub tallies: Vec<Tally>,
    /// What fell into the warm-up.
    pub warmup: Tally,
    /// Requests without an answer at the end of the second.
    pub in_flight: u64,
    /// Open connections at the end of the second.
    pub connections: u64,
    /// CPU time of the thread during the interval, over the interval's length, or over 100 ms when
    /// that was shorter.
    pub cpu: f64,
    /// The same in seconds.
    pub cpu_seconds: f64,
    /// The thread's priority: below 0 it goes before others, 0 when that was not allowed.
    pub nice: i32,
    /// Examples of what went wrong.
    pub examples: Vec<String>,
}

/// Generator threads at work.
pub struct Engine {
    intervals: Receiver<Interval>,
    threads: Vec<JoinHandle<anyhow::Result<()>>>,
    /// The moment of the run's zero, on the clock of [`now`].
    pub start: u64,
}

impl Engine {
    /// Starts the run. It ends by itself, or soon after `stop` becomes true.
    pub fn start(
        plan: &Arc<Plan>,
        ledger: Option<&Arc<Ledger>>,
        stop: &Arc<AtomicBool>,
    ) -> anyhow::Result<Engine> {
        // Threads need a moment to set themselves up; the schedule must not begin without them.
        let start = now() + 50_000_000;
        let (sender, intervals) = sync_channel(1024);
        let mut threads = Vec::new();
        for index in 0..plan.threads {
            let worker = worker::Setup {
                plan: Arc::clone(plan),
                ledger: ledger.cloned(),
                stop: Arc::clone(stop),
                start,
                index,
                intervals: sender.clone(),
            };
            threads.push(
                std::thread::Builder::new()
                    .name(format!("load-{index}"))
                    .spawn(move || worker.run())?,
            );
        }
        Ok(Engine {
            intervals,
            threads,
            start,
        })
    }

    /// The next interval of any thread; `Ok(None)` when there was none in time.
    pub fn next(&self, patience: Duration) -> Result<Option<Interval>, Ended> {
        match self.intervals.recv_timeout(patience) {
            Ok(interval) => Ok(Some(interval)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Ended),
        }
    }

    /// Waits for the threads, and reports what stopped one of them early.
    pub fn join(self) -> anyhow::Result<()> {
        for thread in self.threads {
            match thread.join() {
                Ok(result) => result?,
                Err(_) => anyhow::bail!("a generator thread panicked; please report it"),
            }
        }
        Ok(())
    }
}

/// All threads have ended and every interval was taken.
#[derive(Debug)]
pub struct Ended;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Overrides, Profile, compile};

    const PROFILE: &str = "name = 'x'\nconnections = 'per-user'\ntimeout = '1s'\n[[scenario]]\n\
                           name = 'create'\nrequest = 'create-valid'\n\
                           arrivals = [{ rate = 50, for = '1s' }]\n";

    #[test]
    fn what_the_ledger_cannot_hold_is_not_sent() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let target = Target::parse(&url).expect("a URL");
        let profile = Profile::parse(PROFILE, ".".as_ref()).expect("valid");
        let overrides = Overrides {
            seed: 1,
            speed: 1.0,
            threads: 1,
            connections: None,
            lateness_max: None,
            capacity: None,
        };
        let plan = Arc::new(compile(&profile, &target, &overrides).expect("a plan"));
        let ledger = Arc::new(Ledger::full());
        let engine = Engine::start(&plan, Some(&ledger), &Arc::default()).expect("threads");
        let mut total = Tally::new();
        while let Ok(next) = engine.next(Duration::from_secs(5)) {
            total.add(&next.expect("an interval each second").tallies[0]);
        }
        let error = engine.join().expect_err("the disk is full");
        assert!(format!("{error:#}").contains("/dev/full"), "{error:#}");
        // One connection per user: what was not sent did not connect.
        listener.set_nonblocking(true).expect("ours");
        assert!(listener.accept().is_err(), "a create left unrecorded");
        assert_eq!((total.scheduled, total.sent), (1, 0));
        assert_eq!(total.unsent.get(&Unsent::Generator), Some(&1));
    }
}
