//! The life of a serving process: its runtime, the signals that stop it, and its drain.

use std::time::Duration;

use anyhow::Context;
use tokio::runtime::Runtime;
use warrior_api::serve::Running;
use warrior_stack::{Stop, signals};

/// Longest time that workers get to finish after the drain, when no request waits for them any more.
const WORKERS_TIMEOUT: Duration = Duration::from_secs(1);

/// A stop that SIGINT, SIGTERM and SIGHUP ask for; the second signal ends the process at once.
pub(super) fn stop_on_signal() -> anyhow::Result<Stop> {
    let stop = Stop::default();
    let asked = stop.clone();
    signals::on_signal_then_exit(move || asked.ask())?;
    Ok(stop)
}

pub(super) fn start_runtime() -> anyhow::Result<Runtime> {
    Runtime::new().context("the async runtime cannot be started")
}

/// Drains the server; its worker threads are joined here, where blocking is allowed.
pub(super) fn drain(runtime: &Runtime, running: Running) {
    if !runtime.block_on(running.stop()).join(WORKERS_TIMEOUT) {
        tracing::warn!(
            "stopping while workers still wait for the database; their requests were answered 503 or 504 before"
        );
    }
}
