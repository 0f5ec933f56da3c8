//! The life of a serving process: its runtime, the signals that stop it, and its drain.

use std::num::NonZero;
use std::thread;
use std::time::Duration;
#[cfg(feature = "duckdb")]
use std::time::Instant;

use anyhow::Context;
use tokio::runtime::{self, Runtime};
use warrior_api::dispatch::{Threads, coalesce_wakeups};
use warrior_api::serve::Running;
#[cfg(feature = "duckdb")]
use warrior_api::store::DuckDb;
use warrior_stack::{Stop, signals};

/// Longest time that workers get to finish after the drain, when no request waits for them any more.
const WORKERS_TIMEOUT: Duration = Duration::from_secs(1);

/// A stop that SIGINT, SIGTERM and SIGHUP ask for; the second signal ends the process at once.
pub(super) fn stop_on_signal() -> anyhow::Result<Stop> {
    stop_on_signal_and(|| {})
}

/// As [`stop_on_signal`]; the first signal is answered by `told`, before whatever has to end first.
pub(super) fn stop_on_signal_and(told: impl FnOnce() + Send + 'static) -> anyhow::Result<Stop> {
    let stop = Stop::default();
    let asked = stop.clone();
    signals::on_signal_then_exit(move || {
        told();
        asked.ask();
    })?;
    Ok(stop)
}

/// One worker for each processor that this process may use, whatever TOKIO_WORKER_THREADS says: their number decides whether
/// wake-ups are coalesced.
pub(super) fn start_runtime() -> anyhow::Result<Runtime> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let mut runtime = runtime::Builder::new_multi_thread();
    coalesce_wakeups(&mut runtime, workers);
    let started = runtime.worker_threads(workers).enable_all().build();
    started.context("the async runtime cannot be started")
}

/// Drains the server; its worker threads are joined here, where blocking is allowed.
pub(super) fn drain(runtime: &Runtime, running: Running) {
    join(runtime.block_on(running.stop()), WORKERS_TIMEOUT);
}

/// As [`drain`]: workers that have not ended in time are waited for once more, after their statements were cancelled.
#[cfg(feature = "duckdb")]
pub(super) fn drain_file(runtime: &Runtime, running: Running, store: &DuckDb) {
    let threads = runtime.block_on(running.stop());
    store.cancel_from(Instant::now() + WORKERS_TIMEOUT);
    join(threads, 2 * WORKERS_TIMEOUT);
}

fn join(threads: Threads, limit: Duration) {
    if !threads.join(limit) {
        tracing::warn!(
            "stopping while workers still wait for the database; their requests were answered 503 or 504 before"
        );
    }
}
