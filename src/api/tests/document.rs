//! The OpenAPI document says what the code does.

use hyper::StatusCode;
use serde_json::Value;

use super::*;
use crate::http::{BODY_MAX, BODY_TIMEOUT, BodyError};

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
    assert_eq!(
        statuses("/warrior", "post"),
        [201, 400, 408, 413, 414, 415, 422, 503, 504]
    );
    assert_eq!(statuses("/warrior", "get"), [200, 400, 414, 503]);
    assert_eq!(statuses("/warrior/{id}", "get"), [200, 400, 404, 414, 503]);
    assert_eq!(statuses("/counting-warriors", "get"), [200, 400, 414, 503]);
}

#[test]
fn the_limits_of_a_body_are_documented() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let description = |response: &str| {
        let response = &document["components"]["responses"][response];
        response["description"].as_str().unwrap().to_owned()
    };
    let seconds = format!("within {} seconds", BODY_TIMEOUT.as_secs());
    let late = description("BodyTimeout");
    assert!(late.contains(&seconds), "{late}");
    let kib = format!("over {} KiB", BODY_MAX / 1024);
    assert_eq!(BODY_MAX % 1024, 0);
    let large = description("BodyTooLarge");
    assert!(large.contains(&kib), "{large}");
    let late = Problem::from(BodyError::TooSlow(BODY_TIMEOUT));
    assert_eq!(late.kind().0, StatusCode::REQUEST_TIMEOUT);
    let large = Problem::from(BodyError::TooLarge(BODY_MAX));
    assert_eq!(large.kind().0, StatusCode::PAYLOAD_TOO_LARGE);
    let broken = Problem::from(BodyError::Broken("why".to_owned()));
    assert_eq!(broken.kind().0, StatusCode::BAD_REQUEST);
    let documented = &document["paths"]["/warrior"]["post"]["responses"];
    for (status, response) in [("408", "BodyTimeout"), ("413", "BodyTooLarge")] {
        let reference = format!("#/components/responses/{response}");
        assert_eq!(documented[status]["$ref"], reference);
    }
}
