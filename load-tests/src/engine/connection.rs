//! One HTTP/1.1 connection, with the moments at which bytes left and arrived.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::LOCATION;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::timer::now;

/// An open connection that carries one request at a time.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    stamps: Rc<Stamps>,
    /// When the last answer was complete; a pool must not hand out what the server may be about
    /// to close.
    pub idle_since: u64,
}

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The `Location` header, when there is one.
    pub location: Option<String>,
    /// The body, whole.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// No connection: nothing was sent.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The generator itself ran out of descriptors or ports: nothing was sent.
    #[error("the generator is out of descriptors or ports: {0}")]
    Exhausted(String),
    /// The server closed a kept connection before the request was written: nothing was sent.
    #[error("the connection was closed before the request was sent")]
    NotSent,
    /// Sent, and the connection ended before the answer was complete.
    #[error("cut: {0}")]
    Cut(String),
    /// Sent, and what came back is not HTTP.
    #[error("not HTTP: {0}")]
    Protocol(String),
    /// No complete answer in the time the profile gives.
    #[error("no answer in time")]
    Timeout,
}

impl Connection {
    /// Connects. `TCP_NODELAY` is set: a load generator must not wait to fill packets.
    pub async fn open(address: SocketAddr) -> Result<Connection, Failure> {
        let stream = TcpStream::connect(address).await.map_err(connect_failure)?;
        stream.set_nodelay(true).map_err(connect_failure)?;
        let stamps = Rc::new(Stamps::default());
        let io = TokioIo::new(Stamped {
            stream,
            stamps: Rc::clone(&stamps),
        });
        let (sender, connection) = http1::handshake(io)
            .await
            .map_err(|error| Failure::Connect(error.to_string()))?;
        // The end of a connection shows in the next request's failure; there is nothing to do with it here.
        tokio::task::spawn_local(async move { connection.await.ok() });
        Ok(Connection {
            sender,
            stamps,
            idle_since: now(),
        })
    }

    /// Whether a request could be sent now.
    pub fn is_usable(&self) -> bool {
        self.sender.is_ready()
    }

    /// Sends one request and reads its whole answer.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
        self.stamps.wrote.set(0);
        self.stamps.read.set(0);
        let response = self
            .sender
            .send_request(request)
            .await
            .map_err(send_failure)?;
        let status = response.status().as_u16();
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(send_failure)?
            .to_bytes();
        // The body's last frame comes before hyper has noted that the connection is idle again;
        // without this the pool would find it busy and open another.
        let _closed = self.sender.ready().await;
        self.idle_since = now();
        Ok(Answer {
            status,
            location,
            body,
        })
    }

    /// When the request's first byte was handed to the kernel; `None` while none was.
    pub fn wrote_at(&self) -> Option<u64> {
        Some(self.stamps.wrote.get()).filter(|at| *at > 0)
    }

    /// When the newest bytes of the answer were read.
    pub fn read_at(&self) -> Option<u64> {
        Some(self.stamps.read.get()).filter(|at| *at > 0)
    }
}

#[derive(Default)]
struct Stamps {
    wrote: Cell<u64>,
    read: Cell<u64>,
}

struct Stamped {
    stream: TcpStream,
    stamps: Rc<Stamps>,
}

impl AsyncRead for Stamped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.stamps.read.set(now());
        }
        read
    }
}

impl AsyncWrite for Stamped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // Before the call, not after: on loopback the kernel may run the receiver inside it.
        if self.stamps.wrote.get() == 0 {
            self.stamps.wrote.set(now());
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

fn connect_failure(error: io::Error) -> Failure {
    use nix::errno::Errno;
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EMFILE | Errno::ENFILE | Errno::EADDRNOTAVAIL | Errno::ENOBUFS) => {
            Failure::Exhausted(error.to_string())
        }
        _ => Failure::Connect(error.to_string()),
    }
}

fn send_failure(error: hyper::Error) -> Failure {
    if error.is_canceled() {
        Failure::NotSent
    } else if error.is_parse() || error.is_parse_too_large() || error.is_parse_status() {
        Failure::Protocol(error.to_string())
    } else {
        Failure::Cut(error.to_string())
    }
}
