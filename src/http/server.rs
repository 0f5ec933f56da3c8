//! The accept loop of a listener, and its graceful drain.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::connection::{Drain, Phase, connection};
use super::fault::Received;
use super::write_times::{Answer, WriteTimes};
use crate::throttle::throttled;

/// Longest wait for bytes that are under way between a client and us when a listener closes: a request that was
/// sent before, an end that was not read yet.
const IN_FLIGHT_MAX: Duration = Duration::from_millis(250);
/// Pause after the system refused a connection, most often for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Errors of broken connections that are passed over in the backlog of a listener that closes.
const BACKLOG_ERRORS_MAX: usize = 16;
/// Time for the oldest connection to make room, before the next one is asked to, too.
const ROOM_PAUSE: Duration = Duration::from_millis(10);

/// Bounds of one listener.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most connections at once.
    pub connections_max: usize,
    /// Whether the oldest connection makes room for the next client once all places are taken: at once when it
    /// has no request under way, else with its answer. Clients must bear a close at any time.
    pub oldest_leave: bool,
    /// Longest time for a request's head. Includes the idle time of a kept-alive connection: hyper starts the clock
    /// at the previous answer.
    pub head_timeout: Duration,
    /// Longest time that open requests get to finish at the end.
    pub drain_timeout: Duration,
}

/// Serves `listener` within `limits` until `phase` is closing or has no sender, then lets open requests
/// finish. `answer` gets every request, whole or with its fault; `writes` are the times that its answers take to be
/// written.
pub async fn serve<A, F>(
    listener: TcpListener,
    limits: Limits,
    phase: watch::Receiver<Phase>,
    writes: WriteTimes,
    answer: A,
) where
    A: Fn(Received) -> F + Clone + Send + Sync + 'static,
    F: Future<Output: Into<Answer>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let idle = watch::Sender::new(());
    let leave = Arc::new(Semaphore::new(0));
    let mut changes = phase.clone();
    let drain = || Drain {
        phase: phase.clone(),
        idle: idle.subscribe(),
        leave: Arc::clone(&leave),
    };
    loop {
        tokio::select! {
            biased;
            changed = changes.changed() => match (changed, *changes.borrow_and_update()) {
                (Ok(()), Phase::Serving | Phase::Draining) => {}
                (Ok(()), Phase::Closing) | (Err(_), _) => break,
            },
            (stream, place) = accept(&listener, &places, limits.oldest_leave.then_some(&leave)) => {
                let timeout = limits.head_timeout;
                let (writes, answer) = (writes.clone(), answer.clone());
                tokio::spawn(connection(stream, place, drain(), timeout, writes, answer));
            }
        }
    }
    let address = listener.local_addr().ok();
    for stream in backlog(listener) {
        let place = Arc::clone(&places).acquire_owned();
        let (drain, writes, answer) = (drain(), writes.clone(), answer.clone());
        tokio::spawn(async move {
            if let Ok(place) = place.await {
                connection(stream, place, drain, limits.head_timeout, writes, answer).await;
            }
        });
    }
    let first = IN_FLIGHT_MAX.min(limits.drain_timeout / 2);
    let finished = async {
        if timeout(first, idle.closed()).await.is_err() {
            idle.send_replace(());
            // However short the drain is, an idle connection hears that it must close.
            let rest = (limits.drain_timeout - first).max(IN_FLIGHT_MAX);
            return timeout(rest, idle.closed()).await;
        }
        Ok(())
    };
    if finished.await.is_err() {
        tracing::warn!(
            listener = address.map(tracing::field::display),
            requests = idle.receiver_count(),
            "requests were still open at the end of the drain, and get no answer; DRAIN_TIMEOUT_MS \
             gives them longer"
        );
    }
    // A process that ends with unread bytes resets their connections.
    let all = places.acquire_many(u32::try_from(limits.connections_max).unwrap_or(u32::MAX));
    let _ = timeout(IN_FLIGHT_MAX, all).await;
}

/// Connections that the kernel has accepted: their clients may have sent a request.
fn backlog(listener: TcpListener) -> Vec<TcpStream> {
    // The listener's own readiness lags behind the kernel.
    let Ok(listener) = listener.into_std() else {
        return Vec::new();
    };
    // accept() also gives the network errors of connections that have broken meanwhile, one at a time (accept(2)).
    let mut errors = 0;
    let accepted = std::iter::from_fn(|| {
        loop {
            match listener.accept() {
                Ok((stream, _)) => return Some(stream),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return None,
                Err(_) if errors == BACKLOG_ERRORS_MAX => return None,
                Err(_) => errors += 1,
            }
        }
    });
    accepted
        .filter_map(|stream| {
            stream.set_nonblocking(true).ok()?;
            TcpStream::from_std(stream).ok()
        })
        .collect()
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    leave: Option<&Arc<Semaphore>>,
) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let place = free_place(listener, places, leave).await;
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(e) => {
                throttled!(
                    ERROR,
                    "cannot accept a connection; trying again",
                    lane = "",
                    reason = e.kind().to_string(),
                    listener = listener.local_addr().ok().map(tracing::field::display),
                    error = %e
                );
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A place for the next connection. The semaphore `leave` is fair: each permit goes to the oldest connection that
/// has none yet.
async fn free_place(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    leave: Option<&Arc<Semaphore>>,
) -> OwnedSemaphorePermit {
    if places.available_permits() == 0 {
        throttled!(
            WARN,
            "as many connections are open as there may be, and the next one waits for the end of another; if this \
             is the public listener, raise MAX_CONNECTIONS",
            lane = "",
            reason = "connections",
            listener = listener.local_addr().ok().map(tracing::field::display)
        );
    }
    loop {
        if let Ok(place) = Arc::clone(places).try_acquire_owned() {
            // A permit that no connection took must not end the next connection.
            leave.map(|leave| leave.forget_permits(usize::MAX));
            return place;
        }
        let free = places.acquire();
        match leave {
            Some(leave) => {
                leave.add_permits(1);
                drop(timeout(ROOM_PAUSE, free).await);
            }
            None => drop(free.await),
        }
    }
}
