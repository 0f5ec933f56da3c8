//! Answers to what a store does, which is scripted.

use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::BodyExt;
use hyper::StatusCode;
use prometheus_client::registry::Registry;
use serde_json::Value;

use super::*;
use crate::budget::Budget;
use crate::dispatch::scripted::Scripted;
use crate::dispatch::{Executors, LookupReply};
use crate::store::{Class, Readiness, StoreError};

const DEADLINE: Duration = Duration::from_secs(20);

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
        probe: Box::new(|_| Ok(Readiness::default())),
        is_behind: Box::new(|| false),
    };
    let (dispatch, _threads) = Dispatch::start(
        &sizes,
        executors,
        DEADLINE,
        &Budget::new(1 << 20),
        &mut Registry::default(),
    )
    .unwrap();
    let keys = Keys::new(&crate::config::Secret::new("secret"));
    let (_known, keys) = tokio::sync::watch::channel(Ok(keys));
    let api = Api::new(dispatch, keys, DEADLINE);
    let ask = async |method: &str, target: &str, headers: &[(&str, &str)]| {
        let body = Bytes::from_static(BODY);
        let asked = api.read(Received::Request(head(method, target, headers), body));
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
