//! One generator thread: its event loop drives the load model, and hands over the counts once a second.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use anyhow::Context as _;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use tokio::task::LocalSet;

use super::interval::Interval;
use super::plan::{LoadModel, Plan};
use super::timer::{PreciseTimer, now};
use super::worker::{Counts, Worker};
use super::{closed, open};
use crate::ledger::Ledger;

/// A measuring instrument goes before what it measures: on a machine that it shares with the
/// server, being late by a time slice would be measured as the server's latency.
const NICE: i32 = -10;

/// The least span that a share of a core is taken over, in nanoseconds. The last interval of a run
/// can be microseconds long, and a thread that spent them on ending was not short of a core.
const SHARE_SPAN_MIN: u64 = 100_000_000;

/// A generator thread before it runs.
pub(super) struct GeneratorThread {
    pub(super) plan: Arc<Plan>,
    pub(super) ledger: Option<Arc<Ledger>>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) start: u64,
    pub(super) index: usize,
    pub(super) intervals: SyncSender<Interval>,
}

impl GeneratorThread {
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
            let worker = Worker::new(
                self.plan,
                (self.ledger, self.stop),
                (self.index, self.start),
                timer,
            );
            drive(&worker, nice, &self.intervals).await
        })
    }
}

/// Runs the plan's load model to its end, and hands over an interval each second.
async fn drive(
    worker: &Rc<Worker>,
    nice: i32,
    intervals: &SyncSender<Interval>,
) -> anyhow::Result<()> {
    let work = async {
        match &worker.plan.load {
            LoadModel::Open(arrivals) => open::run(worker, arrivals).await,
            LoadModel::Closed { connections } => closed::run(worker, *connections).await,
        }
    };
    tokio::pin!(work);
    let mut second = 0;
    let mut cpu = ThreadCpu::start();
    loop {
        let boundary = worker
            .timer
            .sleep_until(worker.start + (second + 1) * 1_000_000_000);
        let ended = tokio::select! {
            biased;
            () = &mut work => true,
            () = boundary => false,
        };
        let (share, cpu_seconds, next) = cpu.share();
        let Counts {
            tallies,
            warmup,
            examples,
        } = worker.take_counts();
        let interval = Interval {
            second,
            tallies,
            warmup,
            in_flight: worker.in_flight.get(),
            connections: worker.pool.open_connections(),
            cpu: share,
            cpu_seconds,
            nice,
            examples,
        };
        match hand_over(interval, intervals, ended) {
            None => cpu = next,
            // Not lost: counts and CPU time go with the next second.
            Some(refused) => worker.put_back(Counts {
                tallies: refused.tallies,
                warmup: refused.warmup,
                examples: refused.examples,
            }),
        }
        if ended {
            break;
        }
        second += 1;
    }
    worker.take_error().map_or(Ok(()), Err)
}

/// Gives the interval back when the reader is behind, which must not delay sending. The last interval has
/// nothing left to delay.
fn hand_over(
    interval: Interval,
    intervals: &SyncSender<Interval>,
    is_last: bool,
) -> Option<Interval> {
    if is_last {
        return intervals.send(interval).err().map(|error| error.0);
    }
    match intervals.try_send(interval) {
        Ok(()) => None,
        Err(TrySendError::Full(interval) | TrySendError::Disconnected(interval)) => Some(interval),
    }
}

/// A meter of the CPU time of this thread.
#[derive(Clone, Copy, Debug)]
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

    /// CPU time since this meter began, over wall time and in seconds; and a meter that begins
    /// now.
    fn share(&self) -> (f64, f64, ThreadCpu) {
        let (at, used) = (now(), thread_cpu());
        let wall = (at - self.at).max(SHARE_SPAN_MIN);
        let seconds = (used - self.used).as_secs_f64();
        (
            seconds / (wall as f64 / 1e9),
            seconds,
            ThreadCpu { at, used },
        )
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
        let cpu = ThreadCpu::start();
        while thread_cpu() - cpu.used < Duration::from_millis(2) {
            std::hint::spin_loop();
        }
        let used = cpu.share();
        assert!(used.1 >= 0.002, "{used:?}");
        assert!(used.0 <= used.1 * 10.0 + f64::EPSILON, "{used:?}");
    }
}
