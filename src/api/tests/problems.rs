//! Problems: their fields, and what the load balancer says in their place.

use hyper::StatusCode;
use serde_json::Value;

use super::*;
use crate::http::Fault;

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

/// The balancer gives them in the place of a server that it cannot ask: see balancer/haproxy.cfg.
#[tokio::test]
async fn the_problems_of_the_load_balancer_say_what_those_of_the_server_say() {
    let settle = Settle {
        id: Keys::fresh(),
        location: String::new(),
        idempotency_key: String::new(),
    };
    for (theirs, ours) in [
        (
            include_str!("../../../balancer/problems/400.json"),
            Problem::BadRequest(String::new()),
        ),
        (
            include_str!("../../../balancer/problems/408.json"),
            Problem::Http(Fault::BodyTooSlow(Duration::ZERO)),
        ),
        (
            include_str!("../../../balancer/problems/503.json"),
            Problem::AttemptNotDone(Reason::DatabaseGone),
        ),
        (
            include_str!("../../../balancer/problems/504.json"),
            Problem::Unknown(Box::new(settle)),
        ),
    ] {
        let theirs: Value = serde_json::from_str(theirs).unwrap();
        let ours = body_of(&ours).await;
        for field in ["type", "status"] {
            assert_eq!(theirs[field], ours[field], "{theirs}");
        }
        // The balancer reads the head, too.
        let title = ours["title"].as_str().unwrap().replace("body", "request");
        assert_eq!(theirs["title"], title);
        let fields = |problem: &Value| -> Vec<String> {
            problem.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(fields(&theirs), fields(&ours));
        let [theirs, ours] = [&theirs, &ours].map(|problem| problem["detail"].as_str().unwrap());
        let earlier = "earlier one with the same Idempotency-Key that was answered 504, or not at all, may have";
        assert_eq!(theirs.contains(earlier), ours.contains(earlier), "{theirs}");
        let settles = "idempotency_key: it will be stored once";
        assert!(!ours.contains(settles) || theirs == ours, "{theirs}");
    }
}
