//! The OpenAPI document says what the code does.

use serde_json::Value;

use super::*;
use crate::http::{BODY_MAX, BODY_TIMEOUT, Fault, HEAD_MAX, TARGET_MAX};

#[test]
fn every_documented_operation_is_routed_and_no_other() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 5);
    for (path, operations) in paths {
        let target = path.replace("{id}", "00000000-0000-0000-0000-000000000000");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
            let documented = operations.get(method.to_lowercase()).is_some();
            let target = if target == "/warrior" && method == "GET" {
                "/warrior?t=a"
            } else {
                &target
            };
            let result = route(&head(method, target, &[]), BODY);
            assert_eq!(result.is_ok(), documented, "{method} {path}: {result:?}");
        }
    }
}

#[test]
fn every_problem_has_its_status_documented() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let statuses = |path: &str, method: &str| -> Vec<u16> {
        let responses = document["paths"][path][method]["responses"]
            .as_object()
            .unwrap();
        responses
            .keys()
            .map(|status| status.parse().unwrap())
            .collect()
    };
    let of_http = [400, 408, 413, 414, 431, 501, 505];
    for (path, method, more) in [
        ("/warrior", "post", &[201, 415, 422, 503, 504][..]),
        ("/warrior", "get", &[200, 503]),
        ("/warrior/{id}", "get", &[200, 404, 503]),
        ("/counting-warriors", "get", &[200, 503]),
        ("/health", "get", &[200]),
        ("/openapi.json", "get", &[200]),
    ] {
        let mut expected = [&of_http, more].concat();
        expected.sort_unstable();
        assert_eq!(statuses(path, method), expected, "{method} {path}");
    }
    for fault in FAULTS {
        let (status, _, _) = Problem::Http(fault).kind();
        assert!(of_http.contains(&status.as_u16()), "{fault:?}");
    }
}

const FAULTS: [Fault; 11] = [
    Fault::MalformedHead,
    Fault::Version,
    Fault::HeadTooLarge(0),
    Fault::TargetTooLong(TARGET_MAX),
    Fault::HeadTooSlow(Duration::ZERO),
    Fault::Host,
    Fault::Authority,
    Fault::TransferCoding,
    Fault::BodyTooLarge(BODY_MAX),
    Fault::BodyTooSlow(BODY_TIMEOUT),
    Fault::BrokenBody,
];

#[test]
fn the_limits_of_a_request_are_documented() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let description = |response: &str| {
        let response = &document["components"]["responses"][response];
        response["description"].as_str().unwrap().to_owned()
    };
    let kib = |bytes: usize| {
        assert_eq!(bytes % 1024, 0);
        format!("over {} KiB", bytes / 1024)
    };
    for (response, limit) in [
        (
            "Timeout",
            format!("within {} seconds", BODY_TIMEOUT.as_secs()),
        ),
        ("BodyTooLarge", kib(BODY_MAX)),
        ("TargetTooLong", kib(TARGET_MAX)),
        ("HeadTooLarge", kib(HEAD_MAX)),
    ] {
        let text = description(response);
        assert!(text.contains(&limit), "{text}");
    }
}
