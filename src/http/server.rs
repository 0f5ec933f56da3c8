//! The accept loop, one task for each connection, and the graceful drain.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit, watch};
use tokio::time::{sleep, timeout};

use super::body::{self, BodyError};
use super::pace::{Pace, Paced};
use crate::throttle::throttled;

/// Room for a request's head, in bytes.
const HEAD_MAX: usize = 16 * 1024;
/// How slowly a client may take its answer: a megabyte has 74 s.
const PACE: Pace = Pace {
    pause_max: Duration::from_secs(10),
    bytes_per_second_min: 16 * 1024,
};
/// Time for what is under way between a client and us when a listener closes: a request that was sent
/// before, an end that was not read yet.
const IN_FLIGHT: Duration = Duration::from_millis(250);
/// Longest time of a lingering close.
const LINGER_MAX: Duration = Duration::from_secs(1);

/// Pause after the system refused a connection, most often for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Time for the oldest connection to make room, before the next one is asked to, too.
const ROOM_PAUSE: Duration = Duration::from_millis(10);

/// How far a listener is on the way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Connections are kept alive.
    Serving,
    /// Connections are still accepted, and each ends with its next answer.
    Draining,
    /// The listener is closed, and open requests finish.
    Closing,
}

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
/// finish. `answer` gets the head and the whole body, or what is wrong with it, so that it knows of
/// every request.
pub async fn serve<A, F>(
    listener: TcpListener,
    limits: Limits,
    mut phase: watch::Receiver<Phase>,
    answer: A,
) where
    A: Fn(Parts, Result<Bytes, BodyError>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let draining = Arc::new(AtomicBool::new(false));
    let idle = watch::Sender::new(());
    let leave = Arc::new(Semaphore::new(0));
    let drain = || Drain {
        draining: Arc::clone(&draining),
        idle: idle.subscribe(),
        leave: Arc::clone(&leave),
    };
    loop {
        tokio::select! {
            biased;
            changed = phase.changed() => match (changed, *phase.borrow_and_update()) {
                (Ok(()), Phase::Serving) => {}
                (Ok(()), Phase::Draining) => draining.store(true, Ordering::Relaxed),
                (Ok(()), Phase::Closing) | (Err(_), _) => break,
            },
            (stream, place) = accept(&listener, &places, limits.oldest_leave.then_some(&leave)) => {
                tokio::spawn(connection(stream, place, drain(), limits.head_timeout, answer.clone()));
            }
        }
    }
    draining.store(true, Ordering::Relaxed);
    let address = listener.local_addr().ok();
    for stream in backlog(listener) {
        let place = Arc::clone(&places).acquire_owned();
        let (drain, answer) = (drain(), answer.clone());
        tokio::spawn(async move {
            if let Ok(place) = place.await {
                connection(stream, place, drain, limits.head_timeout, answer).await;
            }
        });
    }
    let first = IN_FLIGHT.min(limits.drain_timeout / 2);
    let finished = async {
        if timeout(first, idle.closed()).await.is_err() {
            idle.send_replace(());
            // However short the drain is, an idle connection hears that it must close.
            let rest = (limits.drain_timeout - first).max(IN_FLIGHT);
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
    let _ = timeout(IN_FLIGHT, all).await;
}

/// Connections that the kernel has accepted: their clients may have sent a request.
fn backlog(listener: TcpListener) -> Vec<TcpStream> {
    // The listener's own readiness lags behind the kernel.
    let Ok(listener) = listener.into_std() else {
        return Vec::new();
    };
    let accepted = std::iter::from_fn(|| listener.accept().ok());
    accepted
        .filter_map(|(stream, _)| {
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
            // A permit that nobody took must not end the next connection.
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

/// What the connections of a listener share about its end.
struct Drain {
    /// Every answer is its connection's last.
    draining: Arc<AtomicBool>,
    /// Changes when idle connections must close. Held as long as there may be a request.
    idle: watch::Receiver<()>,
    /// Has a permit for the oldest connection when another client needs its place.
    leave: Arc<Semaphore>,
}

async fn connection<A, F>(
    stream: TcpStream,
    place: OwnedSemaphorePermit,
    Drain {
        draining,
        mut idle,
        leave,
    }: Drain,
    head_timeout: Duration,
    answer: A,
) where
    A: Fn(Parts, Result<Bytes, BodyError>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let _ = stream.set_nodelay(true);
    let asked = Arc::new(AtomicBool::new(false));
    let head_read = Arc::clone(&asked);
    let service = service_fn(move |request| {
        head_read.store(true, Ordering::Relaxed);
        respond(request, Arc::clone(&draining), answer.clone())
    });
    // Without half_close: the end of a client's half cannot be distinguished from a client that is gone, whose
    // request must not take a worker.
    // Without pipeline_flush: as long as unread bytes wait it holds answers back, also those to a
    // malformed head, after which hyper closes the connection. Such a client would get no answer.
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(Paced::new(stream, PACE)), service);
    let mut left = false;
    let ended = tokio::select! {
        // First what the socket has: hyper calls a connection idle until a head is read whole.
        biased;
        ended = &mut connection => Some(ended),
        _ = idle.changed() => None,
        permit = leave.acquire() => {
            permit.into_iter().for_each(SemaphorePermit::forget);
            // A graceful shutdown would wait for the rest of a first head.
            if !asked.load(Ordering::Relaxed) {
                return;
            }
            left = true;
            None
        }
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    drop(idle);
    // A client's own error, which hyper has answered.
    let late = ended
        .inspect_err(|e| tracing::debug!(error = %e, "a connection ended early"))
        .is_err_and(|e| e.is_timeout());
    if !late && !left {
        let _ = timeout(LINGER_MAX, read_on(connection.into_parts().io.into_inner())).await;
    }
    drop(place);
}

/// Lingering close: bytes that nobody read would turn it into a reset, which may overtake the answer.
async fn read_on(mut stream: impl AsyncRead + Unpin) {
    let mut rest = vec![0; 512];
    while matches!(stream.read(&mut rest).await, Ok(1..)) {}
}

/// A request without a body is given to `answer` before this returns: hyper looks for more bytes, and for
/// that takes another buffer of 8 KiB while this one is in use, before it first polls what is returned.
fn respond<A, F>(
    request: Request<Incoming>,
    draining: Arc<AtomicBool>,
    answer: A,
) -> impl Future<Output = Result<Response<Full<Bytes>>, Infallible>> + use<A, F>
where
    A: Fn(Parts, Result<Bytes, BodyError>) -> F,
    F: Future<Output = Response<Full<Bytes>>>,
{
    let (head, incoming) = request.into_parts();
    let version = head.version;
    let begun = if incoming.is_end_stream() {
        Ok(answer(head, Ok(Bytes::new())))
    } else {
        Err((head, incoming, answer))
    };
    async move {
        let mut leaves_rest = false;
        let mut response = match begun {
            Ok(answer) => answer.await,
            Err((head, incoming, answer)) => {
                let body = body::read(incoming).await;
                leaves_rest = body.as_ref().is_err_and(BodyError::leaves_rest);
                answer(head, body).await
            }
        };
        if leaves_rest || draining.load(Ordering::Relaxed) {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
            // hyper says `keep-alive`, too, where an old client asked for it and the versions differ.
            *response.version_mut() = version;
        }
        Ok(response)
    }
}
