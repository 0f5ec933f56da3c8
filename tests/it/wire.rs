//! Limits on the wire: slow clients, large requests, many connections, and what HTTP/1.1 allows.

use std::thread;
use std::time::{Duration, Instant};

use crate::api::warrior;
use crate::http::{Answer, Wire};
use crate::server::TestServer;
use crate::support::{Fresh, fresh_database};

pub(crate) const GET: &str = "GET /health HTTP/1.1\r\nhost: a\r\n\r\n";
pub(crate) const LAST: &str = "GET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
/// A slow client's pause between two bytes.
const PAUSE: Duration = Duration::from_millis(300);

#[test]
fn slow_clients_are_let_go_and_harm_nobody() {
    let (_database, server) = start();
    let post = "POST /warrior HTTP/1.1\r\nhost: a\r\n";
    thread::scope(|scope| {
        let server = &server;
        for head in ["", "G", "GET /health HTTP/1.1\r\nhost: a\r\nx: "] {
            scope.spawn(move || {
                let (mut wire, took) = trickle(server, head);
                // A client that asked nothing expects no answer.
                if !head.is_empty() {
                    let answer = wire.answer();
                    answer.problem(408, "head-timeout");
                    assert_eq!(answer.header("connection"), Some("close"));
                }
                wire.assert_closed();
                assert_is_5_seconds(took, head);
            });
        }
        // The rest between two requests is as short.
        scope.spawn(move || {
            let mut wire = server.wire();
            wire.send(GET);
            assert_eq!(wire.answer().status, 200);
            let began = Instant::now();
            wire.assert_closed();
            assert_is_5_seconds(began.elapsed(), "keep-alive");
        });
        for body in [
            "content-length: 100\r\n\r\n",
            "content-length: 100\r\nexpect: 100-continue\r\n\r\n",
            "transfer-encoding: chunked\r\n\r\n40\r\n",
        ] {
            scope.spawn(move || {
                let began = Instant::now();
                let mut wire = server.wire();
                wire.send(format!("{post}{body}"));
                if body.contains("expect") {
                    assert_eq!(wire.answer_to_head().status, 100);
                }
                while !wire.stirs_within(PAUSE) && began.elapsed() < Duration::from_secs(15) {
                    wire.send(" ");
                }
                let answer = wire.answer();
                answer.problem(408, "body-timeout");
                assert_eq!(answer.header("connection"), Some("close"));
                wire.assert_closed();
                assert_is_5_seconds(began.elapsed(), body);
            });
        }
        scope.spawn(move || {
            let began = Instant::now();
            let get = "GET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n".repeat(1000);
            server.wire().send_until_cut(get.as_bytes());
            assert!(began.elapsed() > Duration::from_secs(4));
        });
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) {
            let began = Instant::now();
            server.post(&warrior("n")).json(201);
            assert!(
                began.elapsed() < Duration::from_secs(2),
                "a normal client suffers"
            );
        }
    });
}

#[test]
fn a_body_that_is_too_large_is_refused_unread() {
    let (_database, server) = start();
    let post = "POST /warrior HTTP/1.1\r\nhost: a\r\n";
    let refused = |bytes: String| {
        let mut wire = server.wire();
        wire.send(bytes);
        let answer = wire.answer();
        answer.problem(413, "body-too-large");
        assert_eq!(answer.header("connection"), Some("close"));
        wire.assert_closed();
    };
    let began = Instant::now();
    // Not a byte of the body is sent: the length alone decides, and no 100 asks for more.
    refused(format!("{post}content-length: 65537\r\n\r\n"));
    refused(format!("{post}content-length: 9223372036854775807\r\n\r\n"));
    refused(format!(
        "{post}expect: 100-continue\r\ncontent-length: 65537\r\n\r\n"
    ));
    let chunks = format!("8000\r\n{0}\r\n8000\r\n{0}\r\n1\r\n", " ".repeat(0x8000));
    refused(format!("{post}transfer-encoding: chunked\r\n\r\n{chunks} "));
    refused(format!(
        "{post}transfer-encoding: chunked\r\n\r\n{}",
        "1\r\n \r\n".repeat(65537)
    ));
    // A client that sends all of it before it reads still finds the answer.
    refused(format!(
        "{post}content-length: 1000000\r\n\r\n{}",
        " ".repeat(1_000_000)
    ));
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "it waited for a body"
    );
    assert_eq!(server.count(), 0);

    let body = warrior("n").to_string();
    let largest = format!("{body}{}", " ".repeat(65536 - body.len()));
    server.post_bytes(&[], largest.as_bytes()).json(201);
    let mut wire = server.wire();
    wire.send(format!(
        "{post}transfer-encoding: chunked\r\n\r\n{}",
        chunked(&largest)
    ));
    wire.answer().json(201);
}

#[test]
fn a_client_that_asks_first_is_told_to_go_on() {
    let (_database, server) = start();
    let body = warrior("n").to_string();
    let mut wire = server.wire();
    wire.send(format!(
        "POST /warrior HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    ));
    let go_on = wire.answer_to_head();
    assert_eq!((go_on.status, go_on.headers.len()), (100, 0));
    wire.send(body);
    wire.answer().json(201);
    wire.send(GET);
    assert_eq!(wire.answer().status, 200);
}

#[test]
fn an_old_client_s_connection_ends_with_its_answer() {
    let (_database, server) = start();
    for head in ["GET /health HTTP/1.0\r\n\r\n", LAST] {
        let mut wire = server.wire();
        wire.send(head);
        assert_eq!(wire.answer().status, 200);
        wire.assert_closed();
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let (_database, server) = start();
    let locations: Vec<_> = (0..10)
        .map(|n| {
            let created = server.post(&warrior(&format!("n{n}")));
            created.location().to_owned()
        })
        .collect();
    let mut requests = String::new();
    for i in 0..100 {
        // Every third is a HEAD, whose answer has a length and no body.
        let method = if i % 3 == 0 { "HEAD" } else { "GET" };
        requests += &format!("{method} {} HTTP/1.1\r\nhost: a\r\n\r\n", locations[i % 10]);
    }
    let mut wire = server.wire();
    wire.send(&requests);
    for i in 0..100 {
        if i % 3 == 0 {
            assert_eq!(wire.answer_to_head().status, 200);
        } else {
            assert_eq!(wire.answer().json(200)["name"], format!("n{}", i % 10));
        }
    }
    // A create among reads.
    let body = warrior("pipelined").to_string();
    wire.send(format!(
        "POST /warrior HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}{GET}",
        body.len()
    ));
    wire.answer().json(201);
    assert_eq!(wire.answer().text(), r#"{"status":"ok"}"#);
}

/// A client that closes one half looks like one that is gone, whose request is dropped if it was not
/// sent yet. What it must never get is half an answer, or a wrong one.
#[test]
fn a_client_that_half_closes_is_answered_or_let_go() {
    let (_database, server) = start();
    for round in 0..20 {
        let name = format!("n{round}");
        let body = warrior(&name).to_string();
        let mut wire = server.wire();
        wire.send(format!(
            "POST /warrior HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ));
        wire.half_close();
        if answer_or_end(&mut wire) == Some(201) {
            assert_eq!(server.names(&name), [name]);
        }
        wire.rest();
    }
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn a_full_house_keeps_serving_those_inside() {
    let database = fresh_database();
    let server = TestServer::with(&database.pooled_login(), |server| {
        server.sizes.connections_max = 3;
    });
    let mut inside: Vec<Wire> = (0..3).map(|_| server.wire()).collect();
    let ask = |wire: &mut Wire| {
        wire.send(GET);
        assert_eq!(wire.answer().status, 200);
    };
    inside.iter_mut().for_each(ask);
    let mut outside: Vec<Wire> = (0..3).map(|_| server.wire()).collect();
    outside.iter_mut().for_each(|wire| wire.send(GET));
    for _ in 0..3 {
        inside.iter_mut().for_each(ask);
        let early = outside
            .iter_mut()
            .any(|w| w.stirs_within(Duration::from_millis(50)));
        assert!(!early, "more are served than may be");
    }
    // One leaves, one comes in; the admin listener has places of its own.
    assert_eq!(server.ask_admin("/live").status, 200);
    for mut wire in outside {
        inside.pop();
        assert_eq!(wire.answer().status, 200);
        inside.push(wire);
    }
}

pub(crate) fn start() -> (Fresh, TestServer) {
    let database = fresh_database();
    let server = TestServer::start(&database.pooled_login());
    (database, server)
}

/// Sends one byte after another, until the server has had enough; and how long that took.
fn trickle(server: &TestServer, head: &str) -> (Wire, Duration) {
    let began = Instant::now();
    let mut wire = server.wire();
    wire.send(head);
    while !wire.stirs_within(PAUSE) && began.elapsed() < Duration::from_secs(15) {
        if !head.is_empty() {
            wire.send("a");
        }
    }
    (wire, began.elapsed())
}

fn assert_is_5_seconds(took: Duration, what: &str) {
    let seconds = took.as_secs_f64();
    assert!((4.5..9.0).contains(&seconds), "{what}: {seconds}");
}

pub(crate) fn chunked(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}

/// The status of the first answer, or none if the connection ended instead.
pub(crate) fn answer_or_end(wire: &mut Wire) -> Option<u16> {
    wire.next_answer().map(|answer: Answer| answer.status)
}
