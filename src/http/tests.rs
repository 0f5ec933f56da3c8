//! The wire, with a function in place of the API.

mod refused;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Response, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::config::Listen;

/// Longest time for anything here that should happen.
const BOUND: Duration = Duration::from_secs(5);

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// A listener that answers everything with as many bytes, and counts its answers.
struct Rig {
    address: SocketAddr,
    answered: Arc<AtomicUsize>,
    phase: watch::Sender<Phase>,
    ended: JoinHandle<()>,
}

impl Rig {
    fn new(answer_bytes: usize) -> Self {
        Self::with_places(16, answer_bytes)
    }

    fn with_places(connections: usize, answer_bytes: usize) -> Self {
        Self::with(connections, false, answer_bytes)
    }

    fn with(connections: usize, oldest_leave: bool, answer_bytes: usize) -> Self {
        let anywhere = Listen {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
        };
        let listener = bind(anywhere, 64 * 1024).unwrap();
        let address = listener.local_addr().unwrap();
        let answered = Arc::new(AtomicUsize::new(0));
        let (phase, phases) = watch::channel(Phase::Serving);
        let count = Arc::clone(&answered);
        let ended = tokio::spawn(serve(
            listener,
            Limits {
                connections_max: connections,
                oldest_leave,
                head_timeout: BOUND,
                drain_timeout: BOUND,
            },
            phases,
            WriteTimes::new(0),
            move |received| {
                count.fetch_add(1, Ordering::Relaxed);
                std::future::ready(match received {
                    Received::Request(..) => {
                        Response::new(Full::new(Bytes::from(vec![b'x'; answer_bytes])))
                    }
                    Received::Refused(_, fault) => {
                        let mut refused = Response::new(Full::from(format!("{fault:?}")));
                        *refused.status_mut() = StatusCode::IM_A_TEAPOT;
                        refused
                    }
                })
            },
        ));
        Self {
            address,
            answered,
            phase,
            ended,
        }
    }

    /// Everything that comes back until the server closes the connection.
    async fn exchange(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        rest(&mut stream).await
    }
}

/// Everything up to the end of a connection, which must not be a reset: that may overtake an answer.
async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    timeout(BOUND, stream.read_to_end(&mut answer))
        .await
        .expect("the server closes the connection")
        .unwrap();
    String::from_utf8(answer).unwrap()
}

/// Many clients end a body with a line end that does not belong to it. The write is done by then, and
/// its client must hear of it.
#[tokio::test]
async fn an_answer_is_written_though_more_bytes_wait() {
    let rig = Rig::new(1);
    let answer = rig
        .exchange(
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}\r\n",
        )
        .await;
    assert_eq!(rig.answered.load(Ordering::Relaxed), 1);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
}

/// Answers that nobody reads must not pile up in memory: a connection has one in hand, besides what
/// the kernel's buffers hold.
#[tokio::test]
async fn pipelined_requests_wait_for_a_client_that_does_not_read() {
    const REQUESTS: usize = 400;
    let rig = Rig::new(256 * 1024);
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    let requests = GET.repeat(REQUESTS);
    stream.write_all(requests.as_bytes()).await.unwrap();
    let all = timeout(Duration::from_secs(1), async {
        while rig.answered.load(Ordering::Relaxed) < REQUESTS {
            sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(all.await.is_err(), "100 MB of answers are in memory");
}

#[tokio::test]
async fn every_answer_of_a_drain_is_its_connections_last() {
    let rig = Rig::new(1);
    let mut kept = TcpStream::connect(rig.address).await.unwrap();
    kept.write_all(GET.as_bytes()).await.unwrap();
    let mut answer = vec![0; 1024];
    let read = timeout(BOUND, kept.read(&mut answer))
        .await
        .unwrap()
        .unwrap();
    let kept_alive = String::from_utf8_lossy(&answer[..read]).to_lowercase();
    assert!(!kept_alive.contains("connection: close"), "{kept_alive}");
    rig.phase.send_replace(Phase::Draining);
    kept.write_all(GET.as_bytes()).await.unwrap();
    let answer = rest(&mut kept).await;
    assert!(answer.contains("connection: close\r\n"), "{answer:?}");
    // A client that comes now is still served, also an old one that would keep its connection.
    let old = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    for request in [GET, old] {
        let answer = rig.exchange(request).await;
        assert!(answer.contains("connection: close\r\n"), "{answer:?}");
    }
}

/// The kernel has accepted a client that waits for a place; its request may have been sent already.
#[tokio::test]
async fn a_closed_listener_answers_its_backlog() {
    let rig = Rig::with_places(1, 1);
    let mut inside = TcpStream::connect(rig.address).await.unwrap();
    inside.write_all(GET.as_bytes()).await.unwrap();
    inside.read_exact(&mut [0; 16]).await.unwrap();
    let mut outside = TcpStream::connect(rig.address).await.unwrap();
    outside.write_all(GET.as_bytes()).await.unwrap();
    rig.phase.send_replace(Phase::Closing);
    rest(&mut inside).await;
    let answer = rest(&mut outside).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
    assert!(TcpStream::connect(rig.address).await.is_err());
}

/// `/ready` is asked while others hold every place and send no head.
#[tokio::test]
async fn slow_heads_make_room_and_requests_that_are_under_way_do_not() {
    const PLACES: usize = 4;
    let rig = Rig::with(PLACES, true, 1);
    let mut open = TcpStream::connect(rig.address).await.unwrap();
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
    open.write_all(head).await.unwrap();
    let mut slow = Vec::new();
    for _ in 0..10 * PLACES {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHo").await.unwrap();
        slow.push(stream);
    }
    // One after the other would take longer than an exchange may: each place has as long for a head.
    let last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = rig.exchange(last).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
    open.write_all(b"{}").await.unwrap();
    let answer = rest(&mut open).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
}

/// A kept-alive connection may carry a request at any moment, also at that of the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_cuts_no_request_that_was_sent_before_the_listener_closed() {
    const CLIENTS: usize = 64;
    for restart in 0..20 {
        let rig = Rig::with_places(2 * CLIENTS, 1);
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(ask_until_closed(rig.address));
        }
        timeout(BOUND, async {
            while rig.answered.load(Ordering::Relaxed) < 4 * CLIENTS {
                sleep(Duration::from_millis(1)).await;
            }
        })
        .await
        .expect("the clients are at work");
        rig.phase.send_replace(Phase::Draining);
        sleep(Duration::from_millis(restart)).await;
        let closing = Instant::now();
        rig.phase.send_replace(Phase::Closing);
        rig.ended.await.unwrap();
        for unanswered in clients.join_all().await {
            let sent = unanswered.unwrap_or(closing);
            assert!(
                sent >= closing,
                "restart {restart}: {:?} before",
                closing - sent
            );
        }
    }
}

/// Asks one thing after the other, on a new connection where the server ends one. Gives the moment at
/// which a request was sent that got no answer.
async fn ask_until_closed(address: SocketAddr) -> Option<Instant> {
    while let Ok(mut stream) = TcpStream::connect(address).await {
        loop {
            let sent = Instant::now();
            let asked = stream.write_all(GET.as_bytes()).await;
            let mut answer = Vec::new();
            // The body is one `x`.
            while asked.is_ok() && !answer.ends_with(b"\r\n\r\nx") {
                let read = timeout(BOUND, stream.read_buf(&mut answer));
                if !matches!(read.await, Ok(Ok(1..))) {
                    return Some(sent);
                }
            }
            if asked.is_err() {
                return Some(sent);
            }
            if String::from_utf8_lossy(&answer).contains("connection: close") {
                break;
            }
        }
    }
    None
}
