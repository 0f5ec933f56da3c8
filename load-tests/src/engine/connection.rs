//! One HTTP/1.1 connection, with the moments at which bytes left and arrived.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{LOCATION, RETRY_AFTER};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::failure::Failure;
use super::timer::now;
use crate::target::Target;

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
    /// How long a 503 asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The beginning of the body, as much as was to be kept.
    pub body: Bytes,
    /// The length of the whole body.
    pub body_bytes: u64,
}

impl Connection {
    /// Connects, and begins TLS where the target has it. `TCP_NODELAY` is set: a load generator must not wait to
    /// fill packets.
    pub async fn open(target: &Target) -> Result<Connection, Failure> {
        let stream = TcpStream::connect(target.address)
            .await
            .map_err(Failure::of_connecting)?;
        stream.set_nodelay(true).map_err(Failure::of_connecting)?;
        let stamps = Rc::new(Stamps::default());
        // Below TLS, so that moments are those of the bytes on the socket.
        let stamped = Stamped {
            stream,
            stamps: Rc::clone(&stamps),
        };
        let sender = match &target.tls {
            None => begin_http(stamped).await?,
            Some(tls) => {
                let connector = TlsConnector::from(Arc::clone(&tls.config));
                let stream = connector.connect(tls.name.clone(), stamped).await;
                begin_http(stream.map_err(Failure::of_connecting)?).await?
            }
        };
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

    /// Sends one request and reads its whole answer, of which `keep` bytes of the body are kept. An answer that
    /// is still being read at `give_up` (on the clock of [`now`]) is given up, however fast it comes.
    pub async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
        keep: usize,
        give_up: u64,
    ) -> Result<Answer, Failure> {
        self.stamps.wrote.set(0);
        self.stamps.read.set(0);
        let response = self
            .sender
            .send_request(request)
            .await
            .map_err(Failure::of_sending)?;
        let status = response.status().as_u16();
        let header = |name| response.headers().get(name)?.to_str().ok();
        let location = header(LOCATION).map(str::to_owned);
        let retry_after = header(RETRY_AFTER)
            .filter(|_| status == 503)
            .and_then(retry_after);
        let (mut body, mut kept, mut body_bytes) = (response.into_body(), BytesMut::new(), 0);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(Failure::of_sending)?;
            let data = frame.data_ref().map_or(&[][..], |data| data);
            body_bytes += data.len() as u64;
            kept.extend_from_slice(&data[..data.len().min(keep - kept.len())]);
            // A timer beside this loop would wait for its turn as long as there is something to read.
            if now() >= give_up {
                return Err(Failure::Timeout);
            }
        }
        // The body's last frame comes before hyper has noted that the connection is idle again;
        // without this the pool would find it busy and open another.
        let _closed = self.sender.ready().await;
        self.idle_since = now();
        Ok(Answer {
            status,
            location,
            retry_after,
            body: kept.freeze(),
            body_bytes,
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

/// Begins HTTP/1.1 on a connection.
async fn begin_http(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
) -> Result<SendRequest<Full<Bytes>>, Failure> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| Failure::Connect(error.to_string()))?;
    // The end of a connection shows in the next request's failure; there is nothing to do with it here.
    tokio::task::spawn_local(async move { connection.await.ok() });
    Ok(sender)
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

/// The wait that a `Retry-After` asks for: seconds, or a date of HTTP.
fn retry_after(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = chrono::DateTime::parse_from_rfc2822(value).ok()?;
    let wait = until.signed_duration_since(chrono::Utc::now());
    Some(wait.to_std().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_answer_its_beginning_is_kept_and_its_length_known() {
        use std::io::{Read, Write};
        const LENGTH: usize = 1 << 20;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let target = Target::parse(&url).expect("a URL");
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let _head = stream.read(&mut [0; 1024]).expect("a request");
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
            stream.write_all(head.as_bytes()).expect("sent");
            stream.write_all(&vec![b'x'; LENGTH]).expect("sent");
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("an event loop");
        let answer = tokio::task::LocalSet::new().block_on(&runtime, async {
            let mut connection = Connection::open(&target).await?;
            connection
                .send(Request::new(Full::default()), 5, u64::MAX)
                .await
        });
        let answer = answer.expect("it answers");
        assert_eq!(
            (&answer.body[..], answer.body_bytes),
            (&b"xxxxx"[..], LENGTH as u64)
        );
    }

    #[test]
    fn a_wait_is_given_in_seconds_or_as_a_date() {
        assert_eq!(retry_after("2"), Some(Duration::from_secs(2)));
        assert_eq!(
            retry_after("Wed, 21 Oct 2015 07:28:00 GMT"),
            Some(Duration::ZERO)
        );
        let later = retry_after("Fri, 31 Dec 9999 23:59:59 GMT").expect("a date");
        assert!(later > Duration::from_secs(3600), "{later:?}");
        assert_eq!(retry_after("soon"), None);
    }
}
