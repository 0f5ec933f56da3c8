//! Answers to heads that cannot be read. hyper gives a bare status of its own, without a body and without a word to
//! its user, and closes; here that status is kept back, so that the listener can answer instead.

use std::convert::Infallible;
use std::future::ready;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, join};

use super::fault::Fault;

/// A stream that keeps back a bare status, and the end of the stream after it.
#[derive(Debug)]
pub(super) struct Withheld<S> {
    stream: S,
    status: Option<StatusCode>,
}

impl<S> Withheld<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            status: None,
        }
    }

    /// The stream, and the status that was kept back.
    pub(super) fn into_inner(self) -> (S, Option<StatusCode>) {
        (self.stream, self.status)
    }
}

/// What is wrong with a head to which hyper gave `status`, by the bytes that it left unread. A head of more than
/// `head_max` bytes is left as a whole.
pub(super) fn fault(status: StatusCode, unread: &[u8], head_max: usize) -> Fault {
    let mut lines = unread.trim_ascii_start().splitn(2, |byte| *byte == b'\n');
    let line = lines.next().unwrap_or_default().trim_ascii_end();
    let is_whole = lines.next().is_some();
    match status {
        StatusCode::URI_TOO_LONG => Fault::TargetTooLong(super::head::TARGET_MAX),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE if !is_whole && line.contains(&b' ') => {
            Fault::TargetTooLong(super::head::TARGET_MAX)
        }
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Fault::HeadTooLarge(head_max),
        _ => match line.rsplit(|byte| *byte == b' ').next() {
            Some(b"HTTP/1.1" | b"HTTP/1.0") => Fault::MalformedHead,
            Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor])
                if major.is_ascii_digit() && minor.is_ascii_digit() =>
            {
                Fault::Version
            }
            _ => Fault::MalformedHead,
        },
    }
}

/// Writes an answer that belongs to no request, and ends the stream. hyper writes it, as the answer to a request of
/// our own.
pub(super) async fn write<S>(stream: S, answer: Response<Full<Bytes>>) -> S
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let service = service_fn(move |_| ready(Ok::<_, Infallible>(answer.clone())));
    let mut connection = http1::Builder::new()
        // The request ends before its answer is written.
        .half_close(true)
        .serve_connection(TokioIo::new(join(REQUEST, stream)), service);
    if let Err(e) = (&mut connection).await {
        tracing::debug!(error = %e, "a refusal could not be written");
    }
    let (_request, stream) = connection.into_parts().io.into_inner().into_inner();
    stream
}

/// Where a bare status begins at the end of these bytes. No answer of a listener is without a body.
fn bare(bytes: &[u8]) -> Option<(usize, StatusCode)> {
    if !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let start = bytes.windows(7).rposition(|begin| begin == b"HTTP/1.")?;
    let head = str::from_utf8(&bytes[start..]).ok()?;
    let (status_line, fields) = head.split_once("\r\n")?;
    let status = status_line.get(9..12)?.parse::<StatusCode>().ok()?;
    let has = |field: &str| fields.lines().any(|line| line.starts_with(field));
    let is_bare = status.is_client_error() && has("content-length: 0") && !has("content-type:");
    is_bare.then_some((start, status))
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Withheld<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match bare(bytes) {
            Some((0, status)) => {
                self.status = Some(status);
                Poll::Ready(Ok(bytes.len()))
            }
            // An answer before it that is not written yet.
            Some((start, _)) => Pin::new(&mut self.stream).poll_write(cx, &bytes[..start]),
            None => Pin::new(&mut self.stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match parts.split_last() {
            Some((last, before)) if bare(last).is_some() => match before {
                [] => self.poll_write(cx, last),
                before => Pin::new(&mut self.stream).poll_write_vectored(cx, before),
            },
            _ => Pin::new(&mut self.stream).poll_write_vectored(cx, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.status {
            Some(_) => Poll::Ready(Ok(())),
            None => Pin::new(&mut self.stream).poll_shutdown(cx),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Withheld<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, bytes)
    }
}
