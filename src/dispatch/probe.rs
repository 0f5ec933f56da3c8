//! The probe: one thread with a connection of its own, which asks the database how it is, again and again during an outage,
//! and whenever `/ready` wants to know.

use std::any::Any;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::time::Instant;

use super::breaker::{Breaker, Call};
use crate::store::{Class, Readiness, StoreError};
use crate::throttle::{panic_message, throttled};

/// Time between two probes during an outage. Most of them find that the store has no connection yet, and send nothing:
/// how often a database that is down is asked to let somebody in is the store's matter.
const PROBE_INTERVAL: Duration = Duration::from_millis(20);
/// Most callers that may wait for the probe.
const CALLS_MAX: usize = 64;

/// Asks the database for its fitness.
pub type Ask = Box<dyn Fn() -> Result<Readiness, StoreError> + Send>;

/// A closed breaker for requests with this deadline, and the thread of its probe, which ends when the breaker is
/// dropped.
///
/// # Errors
/// When the system refuses the thread.
pub(super) fn start(ask: Ask, deadline: Duration) -> io::Result<(Arc<Breaker>, JoinHandle<()>)> {
    let (probe, calls) = sync_channel(CALLS_MAX);
    let breaker = Arc::new(Breaker::new(probe, deadline));
    let watched = Arc::downgrade(&breaker);
    let thread = thread::Builder::new()
        .name("probe".to_owned())
        .spawn(move || run(&calls, &watched, &ask))?;
    Ok((breaker, thread))
}

/// The breaker is not kept alive by its probe.
fn run(calls: &Receiver<Call>, breaker: &Weak<Breaker>, ask: &Ask) {
    loop {
        let call = match breaker.upgrade().is_some_and(|b| b.is_out()) {
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
        let began = Instant::now();
        // The connection of the last question may have ended since: another one tells whether the database has.
        let ask = || {
            panic::catch_unwind(AssertUnwindSafe(ask))
                .unwrap_or_else(|panic| Err(panicked(&*panic)))
        };
        let answer = ask().or_else(|e| match e.class {
            Class::Unknown => ask(),
            _ => Err(e),
        });
        if let Some(breaker) = breaker.upgrade() {
            match &answer {
                Err(e) if e.is_given_up() => breaker.give_up(&e.to_string()),
                Err(e) if e.class == Class::NotSent => breaker.failed(began, &e.to_string()),
                // Of a connection that was lost, nothing is known. Any other error is an answer.
                Err(e) if e.class == Class::Unknown => {}
                _ => breaker.succeeded(),
            }
            if let Err(e) = &answer {
                breaker.announce(&e.to_string());
            }
        }
        let answer = answer.map_err(|e| e.to_string());
        for call in waiting {
            if let Call::Check(reply) = call {
                let _ = reply.send(answer.clone());
            }
        }
    }
}

/// The probe goes on after a panic: without it, no outage would end.
fn panicked(panic: &(dyn Any + Send)) -> StoreError {
    let panic = panic_message(panic);
    throttled!(
        ERROR,
        "the probe of the database panicked and goes on",
        lane = "",
        reason = "panic",
        panic = panic
    );
    StoreError::of_text(Class::Unknown, format!("the probe panicked: {panic}"))
}
