//! What broken and hostile requests meet: a refusal, and never a request that nobody else would see.

use crate::api::warrior;
use crate::wire::{LAST, answer_or_end, chunked, start};

/// Each of these holds a second request, which a proxy that reads lengths in another way would not
/// have seen. It must never be run.
#[test]
fn a_smuggled_request_is_never_run() {
    let (_database, server) = start();
    let body = warrior("smuggled").to_string();
    let smuggled = format!(
        "POST /warrior HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let outer = chunked(&warrior("outer").to_string());
    let length = outer.len();
    let all = outer.len() + smuggled.len();
    for lengths in [
        format!("content-length: {length}\r\ntransfer-encoding: chunked"),
        format!("transfer-encoding: chunked\r\ncontent-length: {length}"),
        format!("content-length: {all}\r\ntransfer-encoding: chunked"),
        format!("transfer-encoding: chunked\r\ncontent-length: {all}"),
        "content-length: 5\r\ncontent-length: 6".to_owned(),
        "content-length: 5\r\ncontent-length: 5\r\ncontent-length: 0".to_owned(),
        "content-length: 5, 6".to_owned(),
        "content-length: +5".to_owned(),
        "content-length: -5".to_owned(),
        "content-length: 0x5".to_owned(),
        "content-length: 5 5".to_owned(),
        "content-length: ".to_owned(),
        "content-length: 99999999999999999999".to_owned(),
        "content-length : 5".to_owned(),
        "transfer-encoding: xchunked".to_owned(),
        "transfer-encoding: chunked, identity".to_owned(),
        "transfer-encoding: identity".to_owned(),
        "transfer-encoding: \u{b}chunked".to_owned(),
        "transfer-encoding : chunked".to_owned(),
        "transfer-encoding:\r\n chunked".to_owned(),
        "content-length: 0\r\n transfer-encoding: chunked".to_owned(),
    ] {
        let mut wire = server.wire();
        wire.send(format!(
            "POST /warrior HTTP/1.1\r\nhost: a\r\n{lengths}\r\n\r\n{outer}{smuggled}"
        ));
        let answer = answer_or_end(&mut wire);
        let expected: &[u16] = match lengths.contains("transfer-encoding: chunked\r\ncontent")
            || lengths.ends_with("\r\ntransfer-encoding: chunked")
        {
            true => &[201, 400],
            false => &[400],
        };
        assert!(
            answer.is_some_and(|status| expected.contains(&status)),
            "{lengths}: {answer:?}"
        );
        assert_eq!(answers(&wire.rest()), 0, "{lengths}: it was answered");
        assert_eq!(server.names("smuggled"), [""; 0], "{lengths}: it was run");
    }
    // HTTP/1.0 knows no chunks.
    let mut wire = server.wire();
    wire.send(format!(
        "POST /warrior HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{outer}{smuggled}"
    ));
    assert_eq!(answer_or_end(&mut wire), Some(400));
    assert_eq!(answers(&wire.rest()), 0);
    assert_eq!(server.names("smuggled"), [""; 0]);
}

#[test]
fn a_broken_body_is_400_and_never_stored() {
    let (_database, server) = start();
    let body = warrior("n").to_string();
    let whole = chunked(&body);
    let (size, rest) = whole.split_once("\r\n").unwrap();
    for (broken, what) in [
        (format!("\r\n{rest}"), "no digit"),
        (format!("zz\r\n{rest}"), "no number"),
        (format!("-{size}\r\n{rest}"), "negative"),
        (format!(" {size}\r\n{rest}"), "space before"),
        (format!("0x{size}\r\n{rest}"), "prefix"),
        (format!("{}\r\n{rest}", "F".repeat(17)), "overflow"),
        (format!("{size};a\nb\r\n{rest}"), "LF in an extension"),
        (
            format!("{size};{}\r\n{rest}", "a".repeat(20_000)),
            "long extension",
        ),
        (format!("{size}\r\r\n{rest}"), "CR twice"),
        (
            format!("{size}\r\n{body}X\r\n0\r\n\r\n"),
            "longer than told",
        ),
    ] {
        let mut wire = server.wire();
        wire.send(format!(
            "POST /warrior HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{broken}"
        ));
        let answer = answer_or_end(&mut wire);
        assert_eq!(answer, Some(400), "{what}");
        assert_eq!(answers(&wire.rest()), 0, "{what}");
        assert_eq!(server.count(), 0, "{what}");
    }
    // A client that leaves in the middle.
    for head in [
        format!("content-length: {}\r\n\r\n{body}", body.len() + 1),
        format!("transfer-encoding: chunked\r\n\r\n{size}\r\n{body}\r\n"),
        format!("transfer-encoding: chunked\r\n\r\n{size}\r\n{body}\r\n0\r\n"),
    ] {
        let mut wire = server.wire();
        wire.send(format!("POST /warrior HTTP/1.1\r\nhost: a\r\n{head}"));
        wire.half_close();
        let answer = answer_or_end(&mut wire);
        assert!(matches!(answer, None | Some(400)), "{head}: {answer:?}");
        wire.rest();
        assert_eq!(server.count(), 0, "{head}");
    }
    server.post(&warrior("n")).json(201);
}

#[test]
fn a_malformed_head_is_refused() {
    let (_database, server) = start();
    for (head, statuses) in [
        ("GET /health HTTP/1.1\r\n\r\n", [400, 400]),
        (
            "GET /health HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n",
            [400, 400],
        ),
        (
            "GET /health HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n",
            [400, 400],
        ),
        (
            "GET /health HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n",
            [400, 400],
        ),
        (
            "GET /health HTTP/1.1\r\nhost: a\r\nx : a\r\n\r\n",
            [400, 400],
        ),
        (
            "GET /health HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\n\r\n",
            [400, 400],
        ),
        ("GET /health HTTP/1.1\r\nhost: a\r\nx\r\n\r\n", [400, 400]),
        ("GET /health HTTP/1.1\r\nhost: a\r\n: a\r\n\r\n", [400, 400]),
        (
            "GET /health HTTP/1.1\r\nhost: a\r\nx\u{e9}: a\r\n\r\n",
            [400, 400],
        ),
        ("GET /he\0alth HTTP/1.1\r\nhost: a\r\n\r\n", [400, 400]),
        ("GET /he\ralth HTTP/1.1\r\nhost: a\r\n\r\n", [400, 400]),
        ("GET /he alth HTTP/1.1\r\nhost: a\r\n\r\n", [400, 400]),
        ("GET health HTTP/1.1\r\nhost: a\r\n\r\n", [400, 404]),
        ("GET /health HTTP/1.2\r\nhost: a\r\n\r\n", [400, 505]),
        ("GET /health HTTP/3.0\r\nhost: a\r\n\r\n", [400, 505]),
        ("GET /health http/1.1\r\nhost: a\r\n\r\n", [400, 400]),
        ("GET /health\r\n\r\n", [400, 400]),
        ("G\u{e9}T /health HTTP/1.1\r\nhost: a\r\n\r\n", [400, 400]),
        ("CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n", [404, 405]),
        ("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", [404, 405]),
        (
            "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}",
            [400, 400],
        ),
    ] {
        let mut wire = server.wire();
        wire.send(head);
        let answer = wire.answer();
        assert!(statuses.contains(&answer.status), "{head:?}: {answer:?}");
        let content_type = answer.header("content-type");
        assert_eq!(content_type, Some("application/problem+json"), "{head:?}");
        if answer.header("connection") != Some("close") {
            // Then both sides agree on where the next request begins.
            wire.send(LAST);
            assert_eq!(wire.answer().status, 200, "{head:?}");
        }
        wire.assert_closed();
    }
    // HTTP/2 is not spoken here; such a client understands no answer.
    let mut wire = server.wire();
    wire.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    wire.assert_closed();
    // Legal, if rare.
    for head in [
        "GET http://elsewhere.test/health HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /health HTTP/1.0\r\n\r\n",
        "GET /health HTTP/1.0\r\nhost: a\r\n\r\n",
        "\r\nGET /health HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /health HTTP/1.1\r\nHOST:a\r\n\r\n",
        "GET /health? HTTP/1.1\r\nhost:\r\n\r\n",
    ] {
        let mut wire = server.wire();
        wire.send(head);
        assert_eq!(wire.answer().status, 200, "{head:?}");
    }
}

/// How many answers begin in what is left of a connection.
fn answers(rest: &[u8]) -> usize {
    String::from_utf8_lossy(rest).matches("HTTP/1.").count()
}
