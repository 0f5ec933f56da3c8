//! The surface without sockets and without a database.

use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::http::request::Parts;
use hyper::{Method, Request as HttpRequest, StatusCode};
use serde_json::Value;

use http_body_util::BodyExt;
use prometheus_client::registry::Registry;

use super::*;
use crate::budget::Budget;
use crate::dispatch::scripted::Scripted;
use crate::dispatch::{Executors, LookupReply};
use crate::http::{BODY_MAX, BODY_TIMEOUT, BodyError};
use crate::store::{Class, Readiness, StoreError};

const BODY: &[u8] = br#"{"name":"n","dob":"2000-01-01","fight_skills":["s"]}"#;

fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = HttpRequest::builder()
        .method(method)
        .uri(target)
        .header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn get(target: &str) -> Result<Request, Problem> {
    route(&head("GET", target, &[]), b"")
}

fn status(result: Result<Request, Problem>) -> u16 {
    result.map_or_else(|problem| problem.kind().0.as_u16(), |_| 200)
}

fn post(headers: &[(&str, &str)], body: &[u8]) -> Result<Request, Problem> {
    route(&head("POST", "/warrior", headers), body)
}

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

#[test]
fn paths_are_taken_as_they_are() {
    for target in [
        "/",
        "/warrior/",
        "//warrior",
        "/warrior/a/b",
        "/Warrior",
        "/warriors",
        "/%77arrior",
        "/warrior%2Fx",
        "/live",
        "/ready",
        "/metrics",
        "/counting-warriors/",
    ] {
        assert_eq!(status(get(target)), 404, "{target}");
        // A metric's label, so no path of a client's own may become one.
        assert_eq!(route::name(&head("GET", target, &[])), "none", "{target}");
    }
    assert_eq!(status(get("http://elsewhere/counting-warriors")), 200);
}

#[test]
fn wrong_methods_are_told_the_right_ones() {
    let allow = |method, target| match route(&head(method, target, &[]), BODY) {
        Err(problem @ Problem::MethodNotAllowed(_)) => problem.response().headers()["allow"]
            .to_str()
            .unwrap()
            .to_owned(),
        other => panic!("{method} {target}: {other:?}"),
    };
    assert_eq!(allow("DELETE", "/warrior"), "GET, HEAD, POST");
    assert_eq!(
        allow("POST", "/warrior/00000000-0000-0000-0000-000000000000"),
        "GET, HEAD"
    );
    assert_eq!(allow("POST", "/health"), "GET, HEAD");
    assert_eq!(
        route(&head("HEAD", "/counting-warriors", &[]), b""),
        Ok(Request::Count)
    );
}

#[test]
fn an_id_has_one_form() {
    let id = Uuid::from_u128(0x0123_4567_89ab_7def_8123_4567_89ab_cdef);
    let known = id.to_string();
    assert_eq!(
        get(&format!("/warrior/{known}")),
        Ok(Request::Find(Some(id)))
    );
    assert_eq!(
        get(&format!("/warrior/{}", known.to_uppercase())),
        Ok(Request::Find(Some(id)))
    );
    let others = [
        id.simple().to_string(),
        id.urn().to_string(),
        format!("{known}0"),
        known[1..].to_owned(),
        "%00".to_owned(),
        "x".repeat(36),
    ];
    for other in others {
        assert_eq!(
            get(&format!("/warrior/{other}")),
            Ok(Request::Find(None)),
            "{other}"
        );
    }
}

#[test]
fn terms_are_decoded_once_and_strictly() {
    let term = |query: &str| get(&format!("/warrior?{query}"));
    let found = |text: &str| Ok(Request::Search(Some(text.to_owned())));
    assert_eq!(term("t=a+b%20c"), found("a b c"));
    assert_eq!(term("t=%25%5F%5c"), found(r"%_\"));
    assert_eq!(term("t=%C3%A9&x=1"), found("é"));
    assert_eq!(term("x=t&t=a=b"), found("a=b"));
    assert_eq!(term("%74=a"), found("a"));
    assert_eq!(term("t=%00"), Ok(Request::Search(None)));
    for query in [
        "", "t", "t=", "x=1", "t=a&t=b", "t=a&t=a", "t=%zz", "t=%f", "t=%", "t=%ff",
    ] {
        assert_eq!(status(term(query)), 400, "{query}");
    }
    assert_eq!(status(get("/warrior")), 400);
    assert_eq!(status(term(&format!("t={}", "a".repeat(10_000)))), 414);
}

#[test]
fn keys_are_16_to_255_visible_characters() {
    let with = |key: &str| post(&[("idempotency-key", key)], BODY);
    for key in ["0123456789abcdef", &"~".repeat(255)] {
        match with(key) {
            Ok(Request::Create(create)) => assert_eq!(create.key.as_deref(), Some(key)),
            other => panic!("{key}: {other:?}"),
        }
    }
    for key in ["", "short", "0123456789 abcdef", &"x".repeat(256)] {
        assert_eq!(status(with(key)), 400, "{key}");
    }
    let twice = [
        ("idempotency-key", "0123456789abcdef"),
        ("idempotency-key", "0123456789abcdef"),
    ];
    assert_eq!(status(post(&twice, BODY)), 400);
}

#[test]
fn bodies_are_json_whatever_they_are_called() {
    assert!(post(&[], BODY).is_ok());
    assert!(
        post(
            &[("content-type", "text/plain"), ("accept", "text/xml")],
            BODY
        )
        .is_ok()
    );
    assert_eq!(status(post(&[("content-encoding", "gzip")], BODY)), 415);
    assert_eq!(status(post(&[], b"[]")), 400);
    assert_eq!(status(post(&[], b"{}")), 422);
}

#[test]
fn a_host_is_sent_once() {
    let mut twice = head("GET", "/health", &[("host", "other")]);
    assert_eq!(status(route(&twice, b"")), 400);
    twice.headers.remove("host");
    assert_eq!(status(route(&twice, b"")), 400);
    twice.version = hyper::Version::HTTP_10;
    assert_eq!(status(route(&twice, b"")), 200);
    assert_eq!(twice.method, Method::GET);
}

async fn body_of(problem: &Problem) -> Value {
    use http_body_util::BodyExt;
    let bytes = problem
        .response()
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn problems_are_problem_json() {
    let invalid = post(&[], br#"{"name":1}"#).unwrap_err();
    let response = invalid.response();
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let body = body_of(&invalid).await;
    assert_eq!(body["status"], 422);
    assert_eq!(body["type"], "urn:warrior-api:problem:invalid-warrior");
    assert_eq!(body["errors"].as_array().unwrap().len(), 3);

    let refused = Problem::NotDone(Reason::QueueFull);
    assert_eq!(refused.response().headers()["retry-after"], "1");
    assert_eq!(refused.response().status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn an_unknown_outcome_carries_what_settles_it() {
    let keys = Keys::new(&crate::config::Secret::new("secret"));
    let id = Keys::fresh();
    let key = keys.key_of(id);
    let settle = Settle {
        id,
        location: format!("/warrior/{id}"),
        idempotency_key: key.clone(),
    };
    let body = body_of(&Problem::Unknown(Box::new(settle))).await;
    assert_eq!(body["status"], 504);
    assert_eq!(body["id"], id.to_string());
    assert_eq!(body["Location"], format!("/warrior/{id}"));
    // The key in the body is one that the contract accepts, and leads back to the same id.
    let sent_again = body["idempotency_key"].as_str().unwrap();
    assert!(post(&[("idempotency-key", sent_again)], BODY).is_ok());
    assert_eq!(keys.id(sent_again), id);
}

/// The answers to a create with and without a key, and to a read, of a store that does this.
async fn answers(
    create: fn() -> Result<Created, StoreError>,
    find: LookupReply<Option<Bytes>>,
) -> (Vec<Response<Full<Bytes>>>, Response<Full<Bytes>>) {
    let sizes = crate::config::Sizes {
        workers_create: 1,
        workers_find: 1,
        workers_search: 1,
        pool_min: 0,
        batch_max: 1,
        queue_max: 8,
        connections_max: 8,
    };
    let executors = Executors {
        create: Scripted::new(move |batch| batch.requests.iter().map(|_| create()).collect()),
        find: Scripted::new(move |batch| Ok(batch.requests.iter().map(|_| find.clone()).collect())),
        search: Scripted::new(|batch| {
            Ok(batch.requests.iter().map(|_| Some(Bytes::new())).collect())
        }),
        probe: Box::new(|| Ok(Readiness::default())),
    };
    let (dispatch, _threads) = Dispatch::start(
        &sizes,
        executors,
        &Budget::new(1 << 20),
        &mut Registry::default(),
    )
    .unwrap();
    let keys = Keys::new(&crate::config::Secret::new("secret"));
    let (_known, keys) = tokio::sync::watch::channel(Ok(keys));
    let api = Api::new(dispatch, keys, Duration::from_secs(20));
    let ask = async |method: &str, target: &str, headers: &[(&str, &str)]| {
        let asked = api.read(head(method, target, headers), Ok(Bytes::from_static(BODY)));
        api.answer(asked).await.response
    };
    let key = [("idempotency-key", "0123456789abcdef")];
    let creates = vec![
        ask("POST", "/warrior", &[]).await,
        ask("POST", "/warrior", &key).await,
    ];
    let target = format!("/warrior/{}", Keys::fresh());
    (creates, ask("GET", &target, &[]).await)
}

async fn json_of(response: Response<Full<Bytes>>) -> Value {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

/// The earlier one may have been answered 504, and be stored.
#[tokio::test]
async fn the_503_of_a_create_with_a_key_speaks_of_this_attempt() {
    let undone = || Err(StoreError::of_class(Class::RolledBack));
    for create in [undone, || Ok(Created::Vanished)] {
        let (creates, _) = answers(create, LookupReply::Count(0)).await;
        let mut details = Vec::new();
        for response in creates {
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()["retry-after"], "1");
            details.push(json_of(response).await["detail"].to_string());
        }
        assert!(!details[0].contains("earlier"), "{details:?}");
        assert!(details[1].contains("an earlier one with the same Idempotency-Key"));
    }
}

/// The lost attempt may have stored the row that is gone now.
#[tokio::test]
async fn a_row_that_vanished_after_a_lost_attempt_is_of_unknown_outcome() {
    static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);
    let create = || match ATTEMPTS.fetch_add(1, Ordering::Relaxed) % 2 {
        0 => Err(StoreError::of_class(Class::Unknown)),
        _ => Ok(Created::Vanished),
    };
    let (creates, _) = answers(create, LookupReply::Count(0)).await;
    for response in creates {
        assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    }
}

#[tokio::test]
async fn a_reply_that_does_not_fit_its_question_is_503() {
    let (_, found) = answers(|| Ok(Created::Stored), LookupReply::Count(1)).await;
    assert_eq!(found.status(), StatusCode::SERVICE_UNAVAILABLE);
    let (_, found) = answers(|| Ok(Created::Stored), LookupReply::Warrior(None)).await;
    assert_eq!(found.status(), StatusCode::NOT_FOUND);
}

#[test]
fn what_cannot_be_written_as_json_is_a_problem_and_no_empty_answer() {
    let unwritable = std::collections::HashMap::from([(vec![1], 1)]);
    let problem = guarded(|| render::json(&unwritable));
    assert_eq!(problem, Err(Problem::NotDone(Reason::Panicked)));
}

#[test]
fn a_panic_of_the_front_end_is_an_answer() {
    assert_eq!(
        guarded(|| -> () { panic!("provoked") }),
        Err(Problem::NotDone(Reason::Panicked))
    );
}

#[test]
fn a_key_gives_one_id_under_one_secret() {
    let keys = |secret: &str| Keys::new(&crate::config::Secret::new(secret));
    let (ours, others) = (keys("ours"), keys("others"));
    let id = ours.id("0123456789abcdef");
    assert_eq!(ours.id("0123456789abcdef"), id);
    assert_ne!(ours.id("0123456789abcdeg"), id);
    assert_ne!(others.id("0123456789abcdef"), id);
    assert_eq!(id.get_version_num(), 8);
    // A key made under another secret is only a text like any other.
    let foreign = others.key_of(Keys::fresh());
    assert_eq!(ours.id(&foreign).get_version_num(), 8);
}

/// The load balancer makes such keys too, with `openssl dgst -sha256 -hmac` of the same text: see
/// balancer/haproxy.cfg.
#[test]
fn a_key_is_signed_over_the_text_of_its_id() {
    let keys = Keys::new(&crate::config::Secret::new("of the balancer"));
    let id = uuid::uuid!("0192f0c1-d2e3-7abc-8def-0123456789ab");
    let key = "warrior-0192f0c1d2e37abc8def0123456789ab-20698bee5da7a40414012948570fb01b";
    assert_eq!(keys.key_of(id), key);
    assert_eq!(keys.id(key), id);
    // hmac("key:a-client-chose-this") begins with 644987c3f1627575d08dc6f6b73aab3c.
    let derived = uuid::uuid!("644987c3-f162-8575-908d-c6f6b73aab3c");
    assert_eq!(keys.id("a-client-chose-this"), derived);
}
