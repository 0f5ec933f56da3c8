//! The accept loop, one task for each connection, and the drain.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

use super::{HEAD_MAX, WRITE_TIMEOUT, body};
use crate::api::Problem;
use crate::throttle::throttled;

/// Pause after the system refused a connection, most often for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Bounds of one listener.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most connections at once.
    pub connections: usize,
    /// Longest time for a request's head; hyper counts the rest between two requests as part of it.
    pub head: Duration,
    /// Longest time that open requests get to finish at the end.
    pub drain: Duration,
}

/// Serves `listener` within `limits` until `stop` becomes true, then lets open requests finish. `answer`
/// gets the head and the whole body, or what is wrong with it, so that it knows of every request.
pub async fn serve<A, F>(
    listener: TcpListener,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
    answer: A,
) where
    A: Fn(Parts, Result<Bytes, Problem>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(limits.connections));
    let open = GracefulShutdown::new();
    let accept = || accept(&listener, &places);
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            (stream, place) = accept() => {
                tokio::spawn(connection(stream, place, open.watcher(), limits.head, answer.clone()));
            }
        }
    }
    // Who is through the kernel's handshake has been promised an answer.
    while let Ok((stream, place)) = timeout(Duration::ZERO, accept()).await {
        tokio::spawn(connection(
            stream,
            place,
            open.watcher(),
            limits.head,
            answer.clone(),
        ));
    }
    drop(listener);
    if timeout(limits.drain, open.shutdown()).await.is_err() {
        tracing::warn!("requests were still open at the end of the drain");
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        if places.available_permits() == 0 {
            throttled!(
                WARN,
                "as many connections are open as there may be, and more wait; raise MAX_CONNECTIONS",
                lane = "",
                reason = "connections",
                listener = listener.local_addr().ok().map(tracing::field::display)
            );
        }
        let Ok(place) = Arc::clone(places).acquire_owned().await else {
            // The semaphore is never closed.
            std::future::pending::<()>().await;
            continue;
        };
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

async fn connection<A, F>(
    stream: TcpStream,
    place: OwnedSemaphorePermit,
    watcher: Watcher,
    head: Duration,
    answer: A,
) where
    A: Fn(Parts, Result<Bytes, Problem>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let service = service_fn(move |request| respond(request, answer.clone()));
    // Without pipeline_flush: as long as unread bytes wait it holds answers back, also those to a
    // malformed head, after which hyper closes the connection. Such a client would get no answer.
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    if let Err(e) = watcher.watch(connection).await {
        // Clients come and go as they like; it is their error, and hyper has told them.
        tracing::debug!(error = %e, "a connection ended early");
    }
    drop(place);
}

/// A request without a body is given to `answer` before this returns: hyper looks for more bytes, and for
/// that takes another buffer of 8 KiB while this one is in use, before it first polls what is returned.
fn respond<A, F>(
    request: Request<Incoming>,
    answer: A,
) -> impl Future<Output = Result<Response<Full<Bytes>>, Infallible>> + use<A, F>
where
    A: Fn(Parts, Result<Bytes, Problem>) -> F,
    F: Future<Output = Response<Full<Bytes>>>,
{
    let (head, incoming) = request.into_parts();
    let begun = if incoming.is_end_stream() {
        Ok(answer(head, Ok(Bytes::new())))
    } else {
        Err((head, incoming, answer))
    };
    async move {
        Ok(match begun {
            Ok(answer) => answer.await,
            Err((head, incoming, answer)) => answer(head, body::read(incoming).await).await,
        })
    }
}
