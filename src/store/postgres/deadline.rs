//! The deadline of a connection: a stream that fails once an answer is overdue.
//!
//! The synchronous client waits for as long as its peer keeps silent, and gives its socket to no caller. Where TLS
//! begins its stream can be wrapped, so every connection begins that way, one in clear text too: TLS is "required" and
//! "direct", which sends nothing, and the connector that is required may give the bare stream.

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use parking_lot::Mutex;
use postgres::Socket;
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Sleep, sleep_until};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::causes;
use super::greeting::{Greeting, Promise};

/// An SSLRequest, which asks a server for TLS: the length of the message and its code.
const SSL_REQUEST: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x2f";

/// Until when a connection may wait for its peer; none: for ever. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Deadline(Arc<Mutex<Option<Instant>>>);

/// The peer's answer did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("there was no answer in time, so the connection was cut")]
pub(super) struct Overdue;

/// The peer has no TLS.
#[derive(Debug, thiserror::Error)]
#[error("server does not support TLS")]
pub(super) struct WithoutTls;

/// Begins a session, in TLS or in clear text, on a stream with a deadline.
#[derive(Clone)]
pub(super) struct Connector {
    /// None: clear text.
    pub(super) tls: Option<MakeRustlsConnect>,
    pub(super) deadline: Deadline,
    pub(super) promise: Promise,
}

/// [`Connector`] for one server.
pub(super) struct Handshake {
    connector: Connector,
    host: String,
}

/// A socket that fails once its deadline has passed.
pub(super) struct Bounded {
    socket: Socket,
    deadline: Deadline,
    /// Wakes the task that waits for the socket; there from the first wait on.
    timer: Option<Pin<Box<Sleep>>>,
}

/// A session, whose greeting is read along.
pub(super) struct Stream {
    bytes: Bytes,
    /// Until it has ended.
    greeting: Option<Greeting>,
}

/// A session's bytes.
enum Bytes {
    Clear(Bounded),
    Tls(Box<<MakeRustlsConnect as MakeTlsConnect<Bounded>>::Stream>),
}

impl Deadline {
    pub(super) fn set(&self, at: Option<Instant>) {
        *self.0.lock() = at;
    }

    fn get(&self) -> Option<Instant> {
        *self.0.lock()
    }
}

impl Overdue {
    /// Whether `error` comes of an answer that was overdue.
    pub(super) fn is_behind(error: &(dyn Error + 'static)) -> bool {
        causes(error).any(<dyn Error>::is::<Self>)
    }
}

// === impl Connector ===

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Stream;
    type TlsConnect = Handshake;
    type Error = std::convert::Infallible;

    fn make_tls_connect(&mut self, host: &str) -> Result<Handshake, Self::Error> {
        Ok(Handshake {
            connector: self.clone(),
            host: host.to_owned(),
        })
    }
}

impl TlsConnect<Socket> for Handshake {
    type Stream = Stream;
    type Error = Box<dyn Error + Sync + Send>;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Self::Error>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        let Connector {
            tls,
            deadline,
            promise,
        } = self.connector;
        let greeted = |bytes| Stream {
            bytes,
            greeting: Some(Greeting::new(promise)),
        };
        let mut socket = Bounded {
            socket,
            deadline,
            timer: None,
        };
        Box::pin(async move {
            let Some(mut tls) = tls else {
                return Ok(greeted(Bytes::Clear(socket)));
            };
            socket.write_all(SSL_REQUEST).await?;
            // Not a byte more: what follows in clear text must not count as sent through TLS.
            if socket.read_u8().await? != b'S' {
                return Err(WithoutTls.into());
            }
            let handshake =
                MakeTlsConnect::<Bounded>::make_tls_connect(&mut tls, &self.host)?.connect(socket);
            Ok(greeted(Bytes::Tls(Box::new(handshake.await?))))
        })
    }
}

// === impl Bounded ===

impl Bounded {
    /// Polls the socket if there is time left. A clock that is read each time also ends a peer that sends a
    /// byte now and then, or never stops.
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut Socket>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let Some(at) = self.deadline.get() else {
            return poll(Pin::new(&mut self.socket), cx);
        };
        if Instant::now() < at {
            let polled = poll(Pin::new(&mut self.socket), cx);
            if polled.is_ready() || !self.has_fired(at, cx) {
                return polled;
            }
        }
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, Overdue)))
    }

    fn has_fired(&mut self, at: Instant, cx: &mut Context<'_>) -> bool {
        let at = at.into();
        let timer = (self.timer).get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(cx).is_ready()
    }
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll(cx, |socket, cx| socket.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll(cx, |socket, cx| socket.poll_write(cx, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, Socket::poll_flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, Socket::poll_shutdown)
    }
}

// === impl Stream ===

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { bytes, greeting } = self.get_mut();
        let before = buffer.filled().len();
        let polled = match bytes {
            Bytes::Clear(stream) => Pin::new(stream).poll_read(cx, buffer),
            Bytes::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        };
        greeting.take_if(|greeting| !greeting.read(&buffer.filled()[before..]));
        polled
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().bytes {
            Bytes::Clear(stream) => Pin::new(stream).poll_write(cx, bytes),
            Bytes::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().bytes {
            Bytes::Clear(stream) => Pin::new(stream).poll_flush(cx),
            Bytes::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().bytes {
            Bytes::Clear(stream) => Pin::new(stream).poll_shutdown(cx),
            Bytes::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        match &self.bytes {
            Bytes::Clear(_) => ChannelBinding::none(),
            Bytes::Tls(stream) => stream.channel_binding(),
        }
    }
}
