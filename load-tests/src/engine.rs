//! The load engine: each generator thread has one event loop and shares nothing while a run goes on.
//!
//! Every generator thread takes every n-th arrival of the schedule, sends each at its moment
//! whatever the server does, and hands over what it counted once a second.

mod account;
mod closed;
mod connection;
mod exchange;
mod failure;
mod interval;
mod open;
mod plan;
mod pool;
mod tally;
mod thread;
mod timer;
mod worker;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

pub use connection::{Answer, Connection};
pub use failure::Failure;
pub use interval::Interval;
pub use plan::{Arrival, ConnectionMode, Follow, LoadModel, Plan, Retry, Scenario};
pub use tally::{Outcome, Tally, Unsent};
pub use timer::now;

use self::thread::GeneratorThread;
use crate::ledger::Ledger;

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
            let thread = GeneratorThread {
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
                    .spawn(move || thread.run())?,
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
    use crate::target::Target;

    const PROFILE: &str = "name = 'x'\nconnections = 'per-user'\ntimeout = '1s'\n[[scenario]]\n\
                           name = 'create'\nrequest = 'create-valid'\n\
                           arrivals = [{ rate = 50, for = '1s' }]\n";

    #[test]
    fn what_the_ledger_cannot_hold_is_not_sent() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let target = Target::parse(&url).expect("a URL");
        let profile = Profile::parse(PROFILE, ".".as_ref()).expect("valid");
        let overrides = Overrides::seeded(1);
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
