//! The probe: one thread with a connection of its own that asks the database how it is, for `/ready`
//! and to close the breaker.

use std::sync::Weak;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use super::breaker::Breaker;
use crate::store::{Readiness, StoreError};

/// While the breaker is open, the database is asked this often.
const INTERVAL: Duration = Duration::from_millis(200);

/// Most callers that may wait for the probe.
pub(super) const CALLS_MAX: usize = 64;

/// Asks the database what it can do.
pub type Ask = Box<dyn Fn() -> Result<Readiness, StoreError> + Send>;

/// What the probe is woken for.
pub(super) enum Call {
    /// The breaker has opened.
    Wake,
    /// `/ready` wants to know.
    Check(oneshot::Sender<Result<Readiness, String>>),
}

/// Starts the probe; it ends when all senders of `calls` are gone. The breaker holds one, and is not
/// kept alive by the probe.
pub(super) fn start(
    calls: Receiver<Call>,
    breaker: Weak<Breaker>,
    ask: Ask,
) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new()
        .name("probe".to_owned())
        .spawn(move || run(&calls, &breaker, &ask))
}

/// Asks the probe; `limit` bounds the wait, since the database may keep silent.
pub(super) async fn check(calls: &SyncSender<Call>, limit: Duration) -> Result<Readiness, String> {
    let (sender, receiver) = oneshot::channel();
    calls
        .try_send(Call::Check(sender))
        .map_err(|_| "the probe is busy".to_owned())?;
    match tokio::time::timeout(limit, receiver).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err("the probe has ended".to_owned()),
        Err(_) => Err(format!("no answer from the database within {limit:?}")),
    }
}

fn run(calls: &Receiver<Call>, breaker: &Weak<Breaker>, ask: &Ask) {
    loop {
        let call = match breaker.upgrade().is_some_and(|b| b.is_open()) {
            true => calls.recv_timeout(INTERVAL),
            false => calls.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let first = match call {
            Ok(call) => Some(call),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        // All who wait share one question, asked after they came.
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
