//! The state of a generator thread, which all tasks on its event loop share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::Uri;

use super::plan::Plan;
use super::pool::Pool;
use super::tally::Tally;
use super::timer::{PreciseTimer, now};
use crate::ledger::Ledger;

/// Bounds the locations that a thread remembers for `find` requests.
const KNOWN_MAX: usize = 10_000;

/// The shared state of one generator thread.
pub(super) struct Worker {
    pub(super) plan: Arc<Plan>,
    pub(super) index: usize,
    pub(super) start: u64,
    pub(super) timer: Rc<PreciseTimer>,
    pub(super) pool: Pool,
    pub(super) ledger: Option<Arc<Ledger>>,
    /// Locations that the server gave to this thread.
    pub(super) known: RefCell<Vec<Uri>>,
    /// The place of the oldest of them, once there are as many as may be.
    oldest: Cell<usize>,
    users: Cell<u64>,
    stop: Arc<AtomicBool>,
    broken: RefCell<Option<anyhow::Error>>,
    pub(super) in_flight: Cell<u64>,
    pub(super) counts: RefCell<Counts>,
}

/// The counts since the last hand-over.
pub(super) struct Counts {
    pub(super) tallies: Vec<Tally>,
    pub(super) warmup: Tally,
    pub(super) examples: Vec<String>,
}

impl Counts {
    fn new(endpoints: usize) -> Counts {
        Counts {
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

impl Worker {
    /// The state of thread `index` before it has sent anything.
    pub(super) fn new(
        plan: Arc<Plan>,
        (ledger, stop): (Option<Arc<Ledger>>, Arc<AtomicBool>),
        (index, start): (usize, u64),
        timer: Rc<PreciseTimer>,
    ) -> Rc<Worker> {
        Rc::new(Worker {
            index,
            start,
            timer,
            pool: Pool::new(&plan),
            ledger,
            known: RefCell::default(),
            oldest: Cell::default(),
            users: Cell::default(),
            stop,
            broken: RefCell::default(),
            in_flight: Cell::default(),
            counts: RefCell::new(Counts::new(plan.endpoints.len())),
            plan,
        })
    }

    /// Counts a virtual user until the returned value is dropped.
    pub(super) fn enter(self: &Rc<Self>) -> User {
        self.users.set(self.users.get() + 1);
        User(Rc::clone(self))
    }

    /// Waits until every virtual user has ended. Bounded: each request ends at the plan's timeout at the latest, and each
    /// pause between two at its profile's.
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
        let mut counts = self.counts.borrow_mut();
        if self.elapsed(intended) < self.plan.warmup.as_nanos() as u64 {
            change(&mut counts.warmup);
        } else {
            change(&mut counts.tallies[endpoint]);
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

    /// The error that ended the run early, once.
    pub(super) fn take_error(&self) -> Option<anyhow::Error> {
        self.broken.borrow_mut().take()
    }

    /// The counts since the last call.
    pub(super) fn take_counts(&self) -> Counts {
        self.counts.replace(Counts::new(self.plan.endpoints.len()))
    }

    /// Counts that could not be handed over; they go with the next ones.
    pub(super) fn put_back(&self, refused: Counts) {
        let mut counts = self.counts.borrow_mut();
        counts.warmup.add(&refused.warmup);
        for (mine, theirs) in counts.tallies.iter_mut().zip(&refused.tallies) {
            mine.add(theirs);
        }
        let newer = std::mem::replace(&mut counts.examples, refused.examples);
        counts.examples.extend(newer);
    }
}
