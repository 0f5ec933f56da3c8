//! One connection: keep-alive, its last answer, and a lingering close.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit, watch};
use tokio::time::timeout;

use super::data_rate::{DataRate, RateChecked};
use super::fault::{Fault, Received};
use super::refused::{self, Withheld};
use super::write_times::{Answer, WriteTimes, Writing};
use super::{body, head};

/// Room for a request's head, in bytes.
pub const HEAD_MAX: usize = 16 * 1024;
/// The slowest rate at which a client may take its answer: a megabyte has 74 s.
const DATA_RATE_MIN: DataRate = DataRate {
    pause_max: Duration::from_secs(10),
    bytes_per_second_min: 16 * 1024,
};
/// Longest lingering close: how long a connection is read on, and its place held, after its last answer.
const LINGER_MAX: Duration = Duration::from_secs(1);

/// The phase of a graceful drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Connections are kept alive.
    Serving,
    /// Connections are still accepted, and each ends with its next answer.
    Draining,
    /// The listener is closed, and open requests finish.
    Closing,
}

/// The end of a listener, as its connections see it.
pub(super) struct Drain {
    /// Past serving, every answer is its connection's last.
    pub(super) phase: watch::Receiver<Phase>,
    /// Changes when idle connections must close. Held as long as there may be a request.
    pub(super) idle: watch::Receiver<()>,
    /// Has a permit for the oldest connection when another client needs its place.
    pub(super) leave: Arc<Semaphore>,
}

/// Serves one client until it leaves, is too slow, or must leave.
pub(super) async fn connection<A, F>(
    stream: TcpStream,
    place: OwnedSemaphorePermit,
    Drain {
        phase,
        mut idle,
        leave,
    }: Drain,
    head_timeout: Duration,
    writes: WriteTimes,
    answer: A,
) where
    A: Fn(Received) -> F + Clone + Send + Sync + 'static,
    F: Future<Output: Into<Answer>> + Send + 'static,
{
    let _ = stream.set_nodelay(true);
    let writing = Arc::new(Writing::new(writes));
    let asked = Arc::new(AtomicBool::new(false));
    let head_read = Arc::clone(&asked);
    let being_written = Arc::clone(&writing);
    let refuse = answer.clone();
    let service = service_fn(move |request| {
        head_read.store(true, Ordering::Relaxed);
        respond(
            request,
            phase.clone(),
            Arc::clone(&being_written),
            answer.clone(),
        )
    });
    // Without half_close: the end of a client's half cannot be distinguished from a client that is gone, whose
    // request must not take a worker.
    // Without pipeline_flush: as long as unread bytes wait it holds answers back, also those to a
    // malformed head, after which hyper closes the connection. Such a client would get no answer.
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(HEAD_MAX)
        .serve_connection(
            TokioIo::new(Withheld::new(
                RateChecked::new(stream, DATA_RATE_MIN).telling(writing),
            )),
            service,
        );
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
    let late = ended
        .inspect_err(|e| tracing::debug!(error = %e, "a connection ended early"))
        .is_err_and(|e| e.is_timeout());
    let (mut stream, fault) = {
        let parts = connection.into_parts();
        let (stream, status) = parts.io.into_inner().into_inner();
        let begun = !parts.read_buf.trim_ascii_start().is_empty();
        let fault = match status {
            Some(status) => Some(refused::fault(status, &parts.read_buf, HEAD_MAX)),
            None if late && begun && !stream.holds_answer() => {
                Some(Fault::HeadTooSlow(head_timeout))
            }
            None => None,
        };
        (stream, fault)
    };
    if let Some(fault) = fault {
        let refusal = refuse(Received::Refused(None, fault));
        // On the heap, as few connections need the room.
        stream =
            Box::pin(async { refused::write(stream, refusal.await.into().response).await }).await;
    }
    drop(idle);
    if !late && !left {
        let _ = timeout(LINGER_MAX, read_on(stream)).await;
    }
    drop(place);
}

/// Lingering close: unread bytes would turn it into a reset, which may overtake the answer.
async fn read_on(mut stream: impl AsyncRead + Unpin) {
    let mut rest = vec![0; 512];
    while matches!(stream.read(&mut rest).await, Ok(1..)) {}
}

/// A request without a body is given to `answer` before this returns: hyper looks for more bytes, and for
/// that takes another buffer of 8 KiB while this one is in use, before it first polls the future that is returned.
fn respond<A, F>(
    request: Request<Incoming>,
    phase: watch::Receiver<Phase>,
    writing: Arc<Writing>,
    answer: A,
) -> impl Future<Output = Result<Response<Full<Bytes>>, Infallible>> + use<A, F>
where
    A: Fn(Received) -> F,
    F: Future<Output: Into<Answer>>,
{
    let (head, incoming) = request.into_parts();
    let version = head.version;
    let mut leaves_rest = false;
    let begun = match head::check(&head) {
        Err(fault) => {
            leaves_rest = true;
            Ok(answer(Received::Refused(Some(head), fault)))
        }
        Ok(()) if incoming.is_end_stream() => Ok(answer(Received::Request(head, Bytes::new()))),
        Ok(()) => Err((head, incoming, answer)),
    };
    async move {
        let answered = match begun {
            Ok(answer) => answer.await,
            Err((head, incoming, answer)) => {
                let received = match body::read(incoming).await {
                    Ok(body) => Received::Request(head, body),
                    Err(fault) => {
                        leaves_rest = fault.leaves_rest();
                        Received::Refused(Some(head), fault)
                    }
                };
                answer(received).await
            }
        };
        let Answer {
            mut response,
            timed,
        } = answered.into();
        if let Some((class, at)) = timed {
            writing.begin(class, at);
        }
        if leaves_rest || *phase.borrow() != Phase::Serving {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
            // hyper says `keep-alive`, too, where an old client asked for it and the versions differ.
            *response.version_mut() = version;
        }
        Ok(response)
    }
}
