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
/// The time that the database has for its answer during an outage. Short, since no outage ends while the probe waits for a
/// backend that hangs: the next question goes to another. Twice as long after each silence, so that a database that is
/// slow is heard.
const ANSWER_TIMEOUT_MIN: Duration = Duration::from_millis(500);
/// The same without one, when a connection that is given up early is lost for nothing: the role's `statement_timeout`, at
/// which a server that lives says so itself, and half a second for its word.
const ANSWER_TIMEOUT_MAX: Duration = Duration::from_millis(2500);
/// Most callers that may wait for the probe.
const CALLS_MAX: usize = 64;

/// Asks the database for its fitness, within a time.
pub type Ask = Box<dyn Fn(Duration) -> Result<Readiness, StoreError> + Send>;

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
    let is_out = || breaker.upgrade().is_some_and(|b| b.is_out());
    let mut timeout_in_outage = ANSWER_TIMEOUT_MIN;
    loop {
        let call = match is_out() {
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
        let mut ask = || {
            let (asked, out) = (Instant::now(), is_out());
            let timeout = if out {
                timeout_in_outage
            } else {
                ANSWER_TIMEOUT_MAX
            };
            let answer = panic::catch_unwind(AssertUnwindSafe(|| ask(timeout)))
                .unwrap_or_else(|panic| Err(panicked(&*panic)));
            timeout_in_outage = match out {
                true => next_timeout(timeout, asked.elapsed(), &answer),
                false => ANSWER_TIMEOUT_MIN,
            };
            answer
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

/// The time for the next answer, after one that took so long.
fn next_timeout(
    timeout: Duration,
    took: Duration,
    answer: &Result<Readiness, StoreError>,
) -> Duration {
    match answer {
        Err(e) if e.class == Class::Unknown && took >= timeout => {
            (2 * timeout).min(ANSWER_TIMEOUT_MAX)
        }
        _ if took < ANSWER_TIMEOUT_MIN => ANSWER_TIMEOUT_MIN,
        _ => timeout,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A database that hangs is asked again soon, and one that takes most of a second is found ready each time.
    #[test]
    fn a_silence_gives_the_next_answer_more_time_and_a_quick_answer_less() {
        let ms = Duration::from_millis;
        let silence = || Err(StoreError::of_class(Class::Unknown));
        let mut timeout = ANSWER_TIMEOUT_MIN;
        for (took, answer, next) in [
            (ms(500), silence(), ms(1000)),
            (ms(800), Ok(Readiness::default()), ms(1000)),
            (ms(1000), silence(), ms(2000)),
            (ms(2000), silence(), ms(2500)),
            (ms(500), Err(StoreError::of_class(Class::NotSent)), ms(2500)),
            (ms(1), silence(), ms(500)),
            (ms(1), Ok(Readiness::default()), ms(500)),
        ] {
            timeout = next_timeout(timeout, took, &answer);
            assert_eq!(timeout, next, "{took:?}: {answer:?}");
        }
    }
}
