//! Problems: their fields, and what the load balancer says in their place.

use hyper::StatusCode;
use serde_json::Value;

use super::*;

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
