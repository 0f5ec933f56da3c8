//! Coalescing of wake-ups: a front end that sheds pauses before it waits for more, and handles together what has come meanwhile.
//!
//! A request that arrives while the front end is parked preempts the statement that is executed, where they share one
//! processor; above the capacity that costs more than the refusals themselves. What else this thread serves waits up to a millisecond
//! longer each time, and only while requests are refused. A request that comes during the pause begins its stages and its
//! deadline after it, so only its client sees that; an answer that is ready, or a deadline that ends meanwhile, is served after it.
//!
//! Tokio (1.54) calls the hook before it parks for want of work, and not while there is some. A thread that sleeps there counts as one
//! that looks for work, and keeps the others parked; so only a runtime of one worker has the hook.

use std::cell::Cell;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;

/// Small beside the 50 ms at which a refusal aims. No other pause was shown to be better
/// (`load-tests/results/2026-11-28-amd-epyc-2-cores-overload`).
const PAUSE: Duration = Duration::from_millis(1);

thread_local! {
    static HAS_REFUSED: Cell<bool> = const { Cell::new(false) };
}

/// Makes this thread pause before it parks next.
pub(super) fn refused() {
    HAS_REFUSED.set(true);
}

/// Sets up the runtime of a front end with so many workers.
pub fn coalesce_wakeups(runtime: &mut Builder, workers: usize) {
    if workers == 1 {
        runtime.on_thread_park(pause);
    }
}

fn pause() {
    if HAS_REFUSED.replace(false) {
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Instant;

    use super::*;

    /// Whether a park of this thread would pause; then it has.
    pub(in super::super) fn pauses() -> bool {
        let (had, began) = (HAS_REFUSED.get(), Instant::now());
        pause();
        assert!(!had || began.elapsed() >= PAUSE);
        had
    }

    #[test]
    fn a_thread_that_has_refused_pauses_once() {
        refused();
        refused();
        assert!(pauses());
        assert!(!pauses());
    }

    /// Without the hook its thread would never forget the refusal.
    #[test]
    fn a_runtime_of_one_worker_pauses() {
        let mut runtime = Builder::new_multi_thread();
        coalesce_wakeups(&mut runtime, 1);
        let runtime = runtime.worker_threads(1).enable_time().build().unwrap();
        let paused = async {
            tokio::spawn(async { refused() }).await.unwrap();
            while tokio::spawn(async { HAS_REFUSED.get() }).await.unwrap() {}
        };
        let limit = Duration::from_secs(60);
        let waited = runtime.block_on(async { tokio::time::timeout(limit, paused).await });
        waited.expect("it has paused");
    }
}
