//! Every field of a head that the server reads, in raw bytes: what RFC 9110 and RFC 9112 allow, what they forbid, and
//! what is left to a server.

mod bodies;

use crate::http::{Answer, Wire};
use crate::server::TestServer;
use crate::wire::start;

/// As long as a field can be beside the others.
const LONG: usize = 12_000;

/// The answer to one request on a connection of its own.
fn ask(server: &TestServer, request: impl AsRef<[u8]>) -> Answer {
    let mut wire = server.wire();
    wire.send(request);
    wire.answer()
}

/// Checks an answer by its status; one that is a problem, also by its name.
#[track_caller]
fn check(answer: &Answer, expected: (u16, &str), what: &str) {
    let (status, problem) = expected;
    assert_eq!(answer.status, status, "{what:.200}: {}", answer.text());
    if !problem.is_empty() {
        answer.problem(status, problem);
    }
}

const OK: (u16, &str) = (200, "");
const CREATED: (u16, &str) = (201, "");
const BAD: (u16, &str) = (400, "bad-request");
const MALFORMED: (u16, &str) = (400, "malformed-head");

#[test]
fn host() {
    let (_database, server) = start();
    let long = "a".repeat(LONG);
    let valid = [
        "a",
        "a:",
        "a:80",
        "a:0000000000000080",
        "",
        ":80",
        "127.0.0.1:5001",
        "[::1]",
        "[::1]:80",
        "[::ffff:127.0.0.1]",
        "[v1.a:b]",
        "a,b",
        "a%41",
        "warrior_api:5001",
        "A.Example.",
        "!$&'()*+,;=~-._",
        long.as_str(),
    ];
    let invalid = [
        "a b",
        "user@h",
        "a/b",
        "a?b",
        "a#b",
        "[::1",
        "::1",
        "[]",
        "[::1]a",
        "[::1]:x",
        "[a]",
        "[v.a]",
        "[v1.]",
        "[fe80::1%25eth0]",
        "a:x",
        "a:80:80",
        "a:-1",
        "a\tb",
        "caf\u{e9}",
        "<script>",
        "a%4",
        "a%zz",
        "\"a\"",
        "http://a",
    ];
    for version in ["1.1", "1.0"] {
        let get = |fields: &str| {
            let head = format!("GET /health HTTP/{version}\r\n{fields}connection: close\r\n\r\n");
            ask(&server, head)
        };
        for host in valid {
            check(&get(&format!("host: {host}\r\n")), OK, host);
            check(&get(&format!("HOST:{host} \t \r\n")), OK, host);
            check(&get(&format!("host: {host}\r\nhost: a\r\n")), BAD, host);
        }
        for host in invalid {
            check(&get(&format!("host: {host}\r\n")), BAD, host);
        }
        check(&get("host: a\r\nhost: b\r\n"), BAD, "two hosts");
        check(&get("host : a\r\n"), MALFORMED, "a blank before the colon");
        check(&get(" host: a\r\n"), MALFORMED, "a blank before the name");
        check(&get("host: a\r\n b\r\n"), MALFORMED, "a folded line");
        check(&get("host: a\0\r\n"), MALFORMED, "NUL");
        let expected = if version == "1.1" { BAD } else { OK };
        check(&get(""), expected, "no host");
    }
}

#[test]
fn a_target_with_a_host_of_its_own() {
    let (_database, server) = start();
    for (target, expected) in [
        ("http://elsewhere/health", OK),
        ("http://elsewhere:80/health", OK),
        ("http://[::1]:80/health", OK),
        ("https://elsewhere/health", OK),
        ("http://user@elsewhere/health", BAD),
        ("http://user:password@elsewhere/health", BAD),
        ("http://else<where/health", MALFORMED),
        ("http:///health", MALFORMED),
        ("http://:80/health", BAD),
        ("http://elsewhere:x/health", BAD),
        ("health", (404, "not-found")),
    ] {
        let answer = ask(&server, format!("GET {target} HTTP/1.1\r\nhost: a\r\n\r\n"));
        check(&answer, expected, target);
    }
    // What the target says has precedence; Host has to be right all the same.
    let head = "GET http://elsewhere/health HTTP/1.1\r\nhost: a b\r\n\r\n";
    check(&ask(&server, head), BAD, head);
    // The admin listener reads heads by the same rules.
    let mut wire = Wire::open(server.admin);
    wire.send("GET /live HTTP/1.1\r\nhost: a b\r\n\r\n");
    wire.answer().problem(400, "bad-request");
}

#[test]
fn connection() {
    let (_database, server) = start();
    let long = "x".repeat(LONG);
    for (version, fields, is_kept) in [
        ("1.1", "", true),
        ("1.1", "connection: keep-alive\r\n", true),
        ("1.1", "connection:\r\n", true),
        ("1.1", "connection: closed\r\n", true),
        ("1.1", "connection: close\r\n", false),
        ("1.1", "CONNECTION:\t Close \r\n", false),
        ("1.1", "connection: x, close\r\n", false),
        ("1.1", "connection: close, keep-alive\r\n", false),
        (
            "1.1",
            "connection: close\r\nconnection: keep-alive\r\n",
            false,
        ),
        (
            "1.1",
            "connection: keep-alive\r\nconnection: close\r\n",
            false,
        ),
        ("1.1", &format!("connection: {long}\r\n"), true),
        ("1.1", &format!("connection: {long}, close\r\n"), false),
        ("1.0", "", false),
        ("1.0", "connection:\r\n", false),
        ("1.0", "connection: close\r\n", false),
        ("1.0", "connection: Keep-Alive\r\n", true),
        ("1.0", "connection: x ,\tkeep-alive\r\n", true),
        (
            "1.0",
            "connection: keep-alive\r\nconnection: close\r\n",
            false,
        ),
    ] {
        let what = format!("{version} {fields:.100}");
        let mut wire = server.wire();
        let get = format!("GET /health HTTP/{version}\r\nhost: a\r\n{fields}\r\n");
        wire.send(&get);
        assert_eq!(wire.answer().status, 200, "{what}");
        if is_kept {
            wire.send(&get);
            assert_eq!(wire.answer().status, 200, "{what}");
        } else {
            wire.assert_closed();
        }
    }
}

/// It may be ignored, and the connection goes on as it is.
#[test]
fn upgrade() {
    let (_database, server) = start();
    let long = "x".repeat(LONG);
    for (version, fields) in [
        (
            "1.1",
            "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n",
        ),
        ("1.1", "connection: upgrade\r\nupgrade: websocket\r\n"),
        ("1.1", "upgrade: h2c\r\nupgrade: websocket\r\n"),
        ("1.1", "upgrade:\r\n"),
        ("1.1", &format!("upgrade: {long}\r\n")),
        ("1.0", "connection: keep-alive, upgrade\r\nupgrade: h2c\r\n"),
    ] {
        let mut wire = server.wire();
        for _ in 0..2 {
            wire.send(format!(
                "GET /health HTTP/{version}\r\nhost: a\r\n{fields}\r\n"
            ));
            check(&wire.answer(), OK, fields);
        }
    }
}

#[test]
fn methods_and_versions() {
    let (_database, server) = start();
    for (line, expected) in [
        ("BREW /warrior HTTP/1.1", (501, "method-unknown")),
        ("get /health HTTP/1.1", (501, "method-unknown")),
        ("OPTIONS * HTTP/1.1", (404, "not-found")),
        ("TRACE /health HTTP/1.1", (405, "method-not-allowed")),
        ("GET /health HTTP/1.2", (505, "version-not-supported")),
        ("GET /health HTTP/2.0", (505, "version-not-supported")),
        ("GET /health HTTP/0.9", (505, "version-not-supported")),
        ("GET /health http/1.1", MALFORMED),
        ("GET /health HTTP/11", MALFORMED),
        ("GET /health", MALFORMED),
        ("GET  /health HTTP/1.1", MALFORMED),
        ("\u{1}", MALFORMED),
    ] {
        let answer = ask(&server, format!("{line}\r\nhost: a\r\n\r\n"));
        check(&answer, expected, line);
    }
}

#[test]
fn a_head_has_its_limits() {
    let (_database, server) = start();
    let refused = |head: String, status, problem| {
        let answer = ask(&server, &head);
        check(&answer, (status, problem), &head);
        assert_eq!(answer.header("connection"), Some("close"));
    };
    let get = "GET /health HTTP/1.1\r\nhost: a\r\n";
    let headers = |n: usize| "x: y\r\n".repeat(n);
    assert_eq!(
        ask(&server, format!("{get}{}\r\n", headers(99))).status,
        200
    );
    refused(format!("{get}{}\r\n", headers(100)), 431, "head-too-large");
    let field = |n: usize| format!("x: {}", "y".repeat(n));
    assert_eq!(
        ask(&server, format!("{get}{}\r\n\r\n", field(12_000))).status,
        200
    );
    for end in ["\r\n\r\n", ""] {
        // A head that never ends is not read to its end.
        refused(
            format!("{get}{}{end}", field(17_000)),
            431,
            "head-too-large",
        );
    }

    let target = |n: usize| format!("/warrior?t={}", "a".repeat(n - "/warrior?t=".len()));
    server.get(&target(8192)).json(200);
    for n in [8193, 12_000, 17_000, 70_000] {
        let get = format!("GET {} HTTP/1.1\r\nhost: a\r\n\r\n", target(n));
        refused(get, 414, "target-too-long");
    }
    refused("G".repeat(20_000), 431, "head-too-large");
}
