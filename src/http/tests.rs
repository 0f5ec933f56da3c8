//! The wire, with a function in place of the API.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::*;
use crate::config::Listen;

/// Longest time for anything here that should happen.
const BOUND: Duration = Duration::from_secs(5);

/// A listener that answers everything with as many bytes, and counts its answers.
struct Rig {
    address: SocketAddr,
    answered: Arc<AtomicUsize>,
    _stop: watch::Sender<bool>,
}

impl Rig {
    fn new(answer_bytes: usize) -> Self {
        let listener = bind(Listen {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
        })
        .unwrap();
        let address = listener.local_addr().unwrap();
        let answered = Arc::new(AtomicUsize::new(0));
        let (stop, stopped) = watch::channel(false);
        let count = Arc::clone(&answered);
        tokio::spawn(serve(
            listener,
            Limits {
                connections: 16,
                head: BOUND,
                drain: Duration::ZERO,
            },
            stopped,
            move |_, body| {
                count.fetch_add(1, Ordering::Relaxed);
                std::future::ready(match body {
                    Ok(_) => Response::new(Full::new(Bytes::from(vec![b'x'; answer_bytes]))),
                    Err(problem) => problem.response(),
                })
            },
        ));
        Self {
            address,
            answered,
            _stop: stop,
        }
    }

    /// Everything that comes back until the server closes the connection.
    async fn exchange(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A close with unread bytes arrives as a reset, behind the answer.
        let _ = timeout(BOUND, stream.read_to_end(&mut answer))
            .await
            .expect("the server closes the connection");
        String::from_utf8(answer).unwrap()
    }
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

#[tokio::test]
async fn a_broken_head_is_answered() {
    let rig = Rig::new(1);
    let many = "a: b\r\n".repeat(101);
    for (head, status) in [
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n".to_owned(), "400"),
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\nmore"),
            "431",
        ),
        (
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}".to_owned(),
            "400",
        ),
    ] {
        let answer = rig.exchange(&head).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{head:?}: {answer:?}"
        );
    }
    assert_eq!(rig.answered.load(Ordering::Relaxed), 0);
}

/// Metrics are counted where requests are answered; none may be answered elsewhere.
#[tokio::test]
async fn a_request_whose_body_is_refused_is_counted() {
    let rig = Rig::new(1);
    let answer = rig
        .exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer:?}");
    assert_eq!(rig.answered.load(Ordering::Relaxed), 1);
}

/// Answers that nobody reads must not pile up in memory: a connection has one in hand, besides what
/// the kernel's buffers hold.
#[tokio::test]
async fn pipelined_requests_wait_for_a_client_that_does_not_read() {
    const REQUESTS: usize = 400;
    let rig = Rig::new(256 * 1024);
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    let requests = "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(REQUESTS);
    stream.write_all(requests.as_bytes()).await.unwrap();
    let all = timeout(Duration::from_secs(1), async {
        while rig.answered.load(Ordering::Relaxed) < REQUESTS {
            sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(all.await.is_err(), "100 MB of answers are in memory");
}
