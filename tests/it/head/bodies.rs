//! The fields that say what a body is, and the key of a create.

use super::{BAD, CREATED, LONG, MALFORMED, OK, ask, check};
use crate::api::warrior;
use crate::wire::{chunked, start};

const VERSIONS: [&str; 2] = ["1.1", "1.0"];

/// A create whose head ends with these fields.
fn post(version: &str, fields: &str, body: &str) -> String {
    format!("POST /warrior HTTP/{version}\r\nhost: a\r\nconnection: close\r\n{fields}\r\n{body}")
}

/// A create with a length.
fn whole(version: &str, fields: &str, body: &str) -> String {
    post(
        version,
        &format!("{fields}content-length: {}\r\n", body.len()),
        body,
    )
}

#[test]
fn idempotency_key() {
    let (_database, server) = start();
    let body = warrior("n").to_string();
    let (key, longest) = ("0123456789abcdef", "~".repeat(255));
    let long = "k".repeat(LONG);
    for version in VERSIONS {
        for (fields, expected) in [
            (String::new(), CREATED),
            (format!("idempotency-key: {key}\r\n"), CREATED),
            (format!("IDEMPOTENCY-KEY:\t {key} \t\r\n"), CREATED),
            (format!("idempotency-key: \"{key}\"\r\n"), CREATED),
            (format!("idempotency-key: {longest}\r\n"), CREATED),
            (format!("idempotency-key: {longest}~\r\n"), BAD),
            (format!("idempotency-key: {}\r\n", &key[1..]), BAD),
            (format!("idempotency-key: {long}\r\n"), BAD),
            ("idempotency-key: \r\n".to_owned(), BAD),
            ("idempotency-key:\r\n".to_owned(), BAD),
            (format!("idempotency-key: {key} {key}\r\n"), BAD),
            (format!("idempotency-key: {key}\t{key}\r\n"), BAD),
            (format!("idempotency-key: {key}\u{e9}\r\n"), BAD),
            (format!("idempotency-key: {key}, {key}\r\n"), BAD),
            (
                format!("idempotency-key: {key}\r\nidempotency-key: {key}\r\n"),
                BAD,
            ),
            (
                format!("idempotency-key: {key}\r\nidempotency-key:\r\n"),
                BAD,
            ),
            (format!("idempotency-key : {key}\r\n"), MALFORMED),
            (format!("idempotency-key: {key}\u{7f}\r\n"), MALFORMED),
        ] {
            let answer = ask(&server, whole(version, &fields, &body));
            check(&answer, expected, &fields);
        }
    }
}

#[test]
fn content_encoding() {
    let (_database, server) = start();
    let body = warrior("n").to_string();
    let long = "x".repeat(LONG);
    let refused = (415, "unsupported-encoding");
    for (fields, expected) in [
        ("content-encoding: identity\r\n", CREATED),
        ("Content-Encoding:\tIDENTITY \r\n", CREATED),
        ("content-encoding:\r\n", CREATED),
        ("content-encoding: , identity ,\r\n", CREATED),
        (
            "content-encoding: identity\r\ncontent-encoding: identity\r\n",
            CREATED,
        ),
        ("content-encoding: gzip\r\n", refused),
        ("content-encoding: identity, gzip\r\n", refused),
        (
            "content-encoding: identity\r\ncontent-encoding: br\r\n",
            refused,
        ),
        ("content-encoding: \u{e9}\r\n", refused),
        (&format!("content-encoding: {long}\r\n"), refused),
        ("content-encoding : gzip\r\n", MALFORMED),
    ] {
        for version in VERSIONS {
            let answer = ask(&server, whole(version, fields, &body));
            check(&answer, expected, fields);
            let accepted = (expected == refused).then_some("identity");
            assert_eq!(answer.header("accept-encoding"), accepted);
        }
    }
}

#[test]
fn content_length() {
    let (_database, server) = start();
    let body = warrior("n").to_string();
    let n = body.len();
    let (zeros, nines) = ("0".repeat(LONG), "9".repeat(LONG));
    for (fields, expected) in [
        (format!("content-length: {n}\r\n"), CREATED),
        (format!("CONTENT-LENGTH:\t {n} \t\r\n"), CREATED),
        (format!("content-length: {zeros}{n}\r\n"), CREATED),
        (
            format!("content-length: {n}\r\ncontent-length: {n}\r\n"),
            CREATED,
        ),
        (String::new(), (400, "malformed-body")),
        ("content-length: 0\r\n".to_owned(), (400, "malformed-body")),
        ("content-length:\r\n".to_owned(), MALFORMED),
        (format!("content-length: +{n}\r\n"), MALFORMED),
        (format!("content-length: -{n}\r\n"), MALFORMED),
        (format!("content-length: {n}.0\r\n"), MALFORMED),
        (format!("content-length: {n} {n}\r\n"), MALFORMED),
        (format!("content-length: {n}, {n}\r\n"), MALFORMED),
        (format!("content-length: {nines}\r\n"), MALFORMED),
        (
            format!("content-length: {n}\r\ncontent-length: {}\r\n", n + 1),
            MALFORMED,
        ),
        (format!("content-length : {n}\r\n"), MALFORMED),
        (
            "content-length: 9223372036854775807\r\n".to_owned(),
            (413, "body-too-large"),
        ),
    ] {
        for version in VERSIONS {
            let answer = ask(&server, post(version, &fields, &body));
            check(&answer, expected, &fields);
        }
    }
}

#[test]
fn transfer_encoding() {
    let (_database, server) = start();
    let body = chunked(&warrior("n").to_string());
    let long = "x".repeat(LONG);
    let unknown = (501, "unsupported-transfer-coding");
    for (fields, expected) in [
        ("transfer-encoding: chunked\r\n", CREATED),
        ("Transfer-Encoding:\t CHUNKED \r\n", CREATED),
        ("transfer-encoding: , chunked\r\n", CREATED),
        ("transfer-encoding: chunked, chunked\r\n", MALFORMED),
        (
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
            MALFORMED,
        ),
        ("transfer-encoding: gzip, chunked\r\n", unknown),
        (
            "transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n",
            unknown,
        ),
        (&format!("transfer-encoding: {long}, chunked\r\n"), unknown),
        // The last coding must be chunked: the end of such a body is not known.
        ("transfer-encoding: gzip\r\n", MALFORMED),
        ("transfer-encoding: chunked, gzip\r\n", MALFORMED),
        ("transfer-encoding: identity\r\n", MALFORMED),
        ("transfer-encoding:\r\n", MALFORMED),
        (&format!("transfer-encoding: {long}\r\n"), MALFORMED),
        ("transfer-encoding : chunked\r\n", MALFORMED),
    ] {
        let answer = ask(&server, post("1.1", fields, &body));
        check(&answer, expected, fields);
        // HTTP/1.0 has no chunks.
        let answer = ask(&server, post("1.0", fields, &body));
        check(&answer, MALFORMED, fields);
    }
}

#[test]
fn expect() {
    let (_database, server) = start();
    let body = warrior("n").to_string();
    let long = "x".repeat(LONG);
    for (version, fields, is_asked) in [
        ("1.1", "expect: 100-continue\r\n", true),
        ("1.1", "EXPECT:\t 100-Continue \r\n", true),
        (
            "1.1",
            "expect: 100-continue\r\nexpect: 100-continue\r\n",
            true,
        ),
        ("1.1", "expect:\r\n", false),
        ("1.1", "expect: 200-ok\r\n", false),
        ("1.1", &format!("expect: {long}\r\n"), false),
        // An old client would take it for the answer.
        ("1.0", "expect: 100-continue\r\n", false),
    ] {
        let mut wire = server.wire();
        let request = whole(version, fields, &body);
        wire.send(&request[..request.len() - body.len()]);
        if is_asked {
            assert_eq!(wire.answer_to_head().status, 100, "{fields}");
        }
        wire.send(&body);
        wire.answer().json(201);
    }
    let get = "GET /health HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n\r\n";
    check(&ask(&server, get), OK, get);
}
