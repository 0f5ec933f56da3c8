//! Requests that cannot be taken: each is answered by the listener, once, and is its connection's last.

use std::sync::atomic::Ordering;

use super::{BODY_MAX, GET, Rig};

/// hyper would answer by itself, without a body.
#[tokio::test]
async fn a_broken_head_is_answered_by_the_listener() {
    let rig = Rig::new(1);
    let many = "a: b\r\n".repeat(101);
    let long = "a".repeat(17_000);
    for (number, (head, fault)) in (1..).zip([
        (
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n".to_owned(),
            "MalformedHead",
        ),
        (
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}".to_owned(),
            "MalformedHead",
        ),
        ("\r\n\u{1}\r\n\r\n".to_owned(), "MalformedHead"),
        ("GET / HTTP/3.0\r\n\r\n".to_owned(), "Version"),
        ("GET / HTTP/1.2\r\nHost: a\r\n\r\n".to_owned(), "Version"),
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\nmore"),
            "HeadTooLarge(16384)",
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\nb: {long}"),
            "HeadTooLarge(16384)",
        ),
        (long.clone(), "HeadTooLarge(16384)"),
        (format!("GET /{long}"), "TargetTooLong(8192)"),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned(), "Host"),
    ]) {
        let answer = rig.exchange(&head).await;
        assert!(answer.starts_with("HTTP/1.1 418 "), "{head:?}: {answer:?}");
        assert!(answer.ends_with(&format!("\r\n\r\n{fault}")), "{answer:?}");
        assert!(answer.contains("connection: close\r\n"), "{answer:?}");
        assert_eq!(answer.matches("HTTP/1.").count(), 1, "{answer:?}");
        assert_eq!(rig.answered.load(Ordering::Relaxed), number, "{head:?}");
    }
}

#[tokio::test]
async fn a_broken_head_takes_no_answer_from_the_request_before_it() {
    let rig = Rig::new(100_000);
    for broken in [
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/3.0\r\n\r\n",
    ] {
        let answer = rig.exchange(&format!("{GET}{GET}{broken}")).await;
        assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2);
        let (_, last) = answer.split_once("HTTP/1.1 418 ").unwrap();
        assert!(!last.contains('x'), "{last:?}");
    }
}

/// Metrics are counted where requests are answered; none may be answered elsewhere.
#[tokio::test]
async fn a_request_whose_body_is_refused_is_counted() {
    let rig = Rig::new(1);
    for (number, (rest, fault)) in (1..).zip([
        ("Content-Length: 65537\r\n\r\n", "BodyTooLarge(65536)"),
        (
            "Transfer-Encoding: chunked\r\n\r\nno length\r\n",
            "BrokenBody",
        ),
        (
            "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "TransferCoding",
        ),
    ]) {
        let request = format!("POST / HTTP/1.1\r\nHost: a\r\n{rest}");
        let answer = rig.exchange(&request).await;
        assert!(answer.ends_with(fault), "{request:?}: {answer:?}");
        assert_eq!(rig.answered.load(Ordering::Relaxed), number);
    }
}

#[tokio::test]
async fn bytes_that_nobody_wants_do_not_reset_the_connection() {
    let rig = Rig::new(1);
    let post = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n{}",
        " ".repeat(1_000_000)
    );
    let answer = rig.exchange(&post).await;
    assert!(answer.ends_with("BodyTooLarge(65536)"), "{answer:?}");
    assert!(answer.contains("connection: close\r\n"), "{answer:?}");
}

/// The rest of its body would be read as its next request.
#[tokio::test]
async fn an_old_client_that_would_keep_its_connection_is_closed_after_a_refused_body() {
    let rig = Rig::new(1);
    let body = " ".repeat(BODY_MAX + 1);
    let post = format!(
        "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = rig.exchange(&post).await;
    assert!(answer.starts_with("HTTP/1.0 418 "), "{answer:?}");
    assert!(answer.contains("connection: close\r\n"), "{answer:?}");
    assert!(!answer.contains("keep-alive"), "{answer:?}");
    assert_eq!(rig.answered.load(Ordering::Relaxed), 1);
}
