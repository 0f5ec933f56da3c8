//! The circuit breaker: open while the database cannot be reached, so that no request queues for it.
//!
//! A probe, one thread with a connection of its own, asks the database how it is: while the breaker is open, again and
//! again, which is its half-open state without a request at risk; and whenever `/ready` wants to know. The first answer
//! closes the breaker.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use crate::store::{Readiness, StoreError};
use crate::throttle::throttled;

/// Time between two probes while the breaker is open.
const PROBE_INTERVAL: Duration = Duration::from_millis(200);
/// Most callers that may wait for the probe.
const CALLS_MAX: usize = 64;

/// Asks the database for its fitness.
pub type Ask = Box<dyn Fn() -> Result<Readiness, StoreError> + Send>;

/// The state of the database as all lanes and the probe see it.
pub(super) struct Breaker {
    open: AtomicBool,
    opened_at: Mutex<Option<Instant>>,
    born: Instant,
    /// Microseconds from `born` to the last batch that the database answered.
    last_success_micros: AtomicU64,
    /// Ends the probe when it is dropped.
    probe: SyncSender<Call>,
}

/// A reason to wake the probe.
pub(super) enum Call {
    /// The breaker has opened.
    Opened,
    /// `/ready` asks.
    Check(oneshot::Sender<Result<Readiness, String>>),
}

impl Breaker {
    /// A closed breaker, and the thread of its probe, which ends when the breaker is dropped.
    ///
    /// # Errors
    /// When the system refuses the thread.
    pub(super) fn start(ask: Ask) -> io::Result<(Arc<Self>, JoinHandle<()>)> {
        let (probe, calls) = sync_channel(CALLS_MAX);
        let breaker = Arc::new(Self::new(probe));
        let watched = Arc::downgrade(&breaker);
        let thread = thread::Builder::new()
            .name("probe".to_owned())
            .spawn(move || run_probe(&calls, &watched, &ask))?;
        Ok((breaker, thread))
    }

    /// A closed breaker whose probe receives from `probe`.
    pub(super) fn new(probe: SyncSender<Call>) -> Self {
        Self {
            open: AtomicBool::new(false),
            opened_at: Mutex::new(None),
            born: Instant::now(),
            last_success_micros: AtomicU64::new(0),
            probe,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// A batch was answered by the database.
    pub(super) fn succeeded(&self) {
        self.last_success_micros
            .store(self.micros(Instant::now()), Ordering::Release);
    }

    /// A batch that began at `since` could not be sent, twice. Opens the breaker unless another
    /// batch succeeded meanwhile: then one connection is in trouble, and not the database.
    pub(super) fn failed(&self, since: Instant, why: &str) {
        if self.last_success_micros.load(Ordering::Acquire) >= self.micros(since).max(1) {
            return;
        }
        if !self.open.swap(true, Ordering::AcqRel) {
            *self.opened_at() = Some(Instant::now());
            throttled!(
                ERROR,
                "the database is gone: refusing requests until it answers",
                lane = "",
                reason = "database_gone",
                error = why
            );
            let _ = self.probe.try_send(Call::Opened);
        }
    }

    /// Asks the probe for the database's fitness; `limit` bounds the wait, since the database may keep silent.
    ///
    /// # Errors
    /// A sentence for people.
    pub(super) async fn check(&self, limit: Duration) -> Result<Readiness, String> {
        let (sender, receiver) = oneshot::channel();
        self.probe
            .try_send(Call::Check(sender))
            .map_err(|_| "the probe is busy".to_owned())?;
        match timeout(limit, receiver).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err("the probe has ended".to_owned()),
            Err(_) => Err(format!("no answer from the database within {limit:?}")),
        }
    }

    /// The database answered the probe.
    fn close(&self) {
        if self.open.swap(false, Ordering::AcqRel) {
            self.succeeded();
            let opened_at = self.opened_at().take();
            let seconds = opened_at.map_or(0.0, |at| at.elapsed().as_secs_f64());
            throttled!(
                INFO,
                "the database is back",
                lane = "",
                reason = "database_back",
                refused_for_seconds = seconds
            );
        }
    }

    fn micros(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.born).as_micros()).unwrap_or(u64::MAX)
    }

    fn opened_at(&self) -> MutexGuard<'_, Option<Instant>> {
        self.opened_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The breaker is not kept alive by its probe.
fn run_probe(calls: &Receiver<Call>, breaker: &Weak<Breaker>, ask: &Ask) {
    loop {
        let call = match breaker.upgrade().is_some_and(|b| b.is_open()) {
            true => calls.recv_timeout(PROBE_INTERVAL),
            false => calls.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let first = match call {
            Ok(call) => Some(call),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        // All that wait share one question, asked after they came.
        let waiting: Vec<Call> = first.into_iter().chain(calls.try_iter()).collect();
        let answer = ask().map_err(|e| e.to_string());
        if let (Ok(_), Some(breaker)) = (&answer, breaker.upgrade()) {
            breaker.close();
        }
        for call in waiting {
            if let Call::Check(reply) = call {
                let _ = reply.send(answer.clone());
            }
        }
    }
}
