//! Deadlines of statements: one thread cancels those that run past theirs.
//!
//! DuckDB has no time limit of its own. A cancellation is a flag that the running statement sees; one that comes a moment
//! before the statement begins is lost, so it is repeated until the statement has ended.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use warrior_duckdb::Canceller;

/// Time between two cancellations of one statement.
const AGAIN: Duration = Duration::from_millis(20);

/// Ends its thread when it is dropped.
pub(super) struct Watch(Arc<Shared>);

#[derive(Default)]
struct Shared {
    running: Mutex<Running>,
    changed: Condvar,
}

#[derive(Default)]
struct Running {
    statements: BTreeMap<(Instant, u64), Arc<Canceller>>,
    numbered: u64,
    /// From when on all are cancelled.
    all_from: Option<Instant>,
    ended: bool,
}

/// A statement that runs; it is not cancelled any more once this is dropped.
pub(super) struct Watched<'w> {
    shared: &'w Shared,
    key: (Instant, u64),
}

impl Watch {
    /// # Errors
    /// When the system refuses the thread.
    pub(super) fn start() -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let watched = Arc::clone(&shared);
        thread::Builder::new()
            .name("deadlines".to_owned())
            .spawn(move || watched.run())?;
        Ok(Self(shared))
    }

    /// Cancels what `canceller` can cancel from `until` on.
    pub(super) fn until(&self, until: Instant, canceller: &Arc<Canceller>) -> Watched<'_> {
        let mut running = self.0.running.lock();
        running.numbered += 1;
        let key = (until, running.numbered);
        running.statements.insert(key, Arc::clone(canceller));
        let first = running.statements.first_key_value();
        if first.is_some_and(|(first, _)| *first == key) {
            self.0.changed.notify_one();
        }
        Watched {
            shared: &self.0,
            key,
        }
    }

    /// Cancels everything from `moment` on.
    pub(super) fn cancel_from(&self, moment: Instant) {
        self.0.running.lock().all_from = Some(moment);
        self.0.changed.notify_one();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.running.lock().ended = true;
        self.0.changed.notify_one();
    }
}

impl Drop for Watched<'_> {
    /// Under the lock under which statements are cancelled, so that the next one of its connection is not.
    fn drop(&mut self) {
        self.shared.running.lock().statements.remove(&self.key);
    }
}

impl Shared {
    fn run(&self) {
        let mut running = self.running.lock();
        while !running.ended {
            let now = Instant::now();
            let all = running.all_from.is_some_and(|from| from <= now);
            let mut cancelled = false;
            let past = |until: Instant| all || until <= now;
            for (_, canceller) in
                (running.statements.iter()).take_while(|((until, _), _)| past(*until))
            {
                // A failure leaves it running, and is tried again.
                let _ = canceller.cancel();
                cancelled = true;
            }
            let next = running.statements.first_key_value().map(|(key, _)| key.0);
            let next = next.map(|next| running.all_from.map_or(next, |from| next.min(from)));
            match next {
                None => self.changed.wait(&mut running),
                Some(_) if cancelled => {
                    self.changed.wait_for(&mut running, AGAIN);
                }
                Some(next) => {
                    self.changed.wait_until(&mut running, next);
                }
            }
        }
    }
}
