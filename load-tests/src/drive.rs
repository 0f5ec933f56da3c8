//! A run of the engine to its end: intervals are added up, and the ledger is synced once a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::collect::Collected;
use crate::engine::{Engine, Plan};
use crate::ledger::Ledger;

/// Longer than any pause between two intervals, which come once a second.
const INTERVAL_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs a plan and adds up what it counted. `each_second` sees every second that all threads have handed
/// over. A ledger that cannot be written, or a thread that an error ends, ends the run; what was recorded until then is
/// still to be judged.
///
/// # Errors
/// When a generator thread cannot be started; and without a ledger, when one ends early.
pub fn drive(
    plan: &Arc<Plan>,
    ledger: Option<&Arc<Ledger>>,
    stop: &Arc<AtomicBool>,
    mut each_second: impl FnMut(&Collected, usize),
) -> anyhow::Result<Collected> {
    let engine = Engine::start(plan, ledger, stop)?;
    let mut collected = Collected::new(plan.endpoints.len());
    let mut reported: Vec<usize> = Vec::new();
    while let Ok(next) = engine.next(INTERVAL_TIMEOUT) {
        let Some(interval) = next else { continue };
        collected.add(&interval);
        let second = interval.second as usize;
        reported.resize(reported.len().max(second + 1), 0);
        reported[second] += 1;
        if reported[second] < plan.threads {
            continue;
        }
        if let Some(Err(error)) = ledger.map(|ledger| ledger.sync()) {
            stop.store(true, Ordering::Relaxed);
            collected.unrecorded = Some(format!("{error:#}"));
        }
        each_second(&collected, second);
    }
    let ended = engine.join();
    let Some(ledger) = ledger else {
        return ended.map(|()| collected);
    };
    if let Err(error) = ended.and_then(|()| ledger.sync()) {
        stop.store(true, Ordering::Relaxed);
        collected.unrecorded = Some(format!("{error:#}"));
    }
    Ok(collected)
}
