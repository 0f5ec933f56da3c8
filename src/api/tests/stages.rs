//! The stages that no fault of the database lengthens: 20 ms more in parsing, or in rendering, show there alone.

use std::thread;

use prometheus_client::registry::Registry;

use super::*;
use crate::api::server_timing::SERVER_TIMING;
use crate::budget::Budget;
use crate::dispatch::scripted::Scripted;
use crate::dispatch::{Executors, Lookup, LookupReply};
use crate::store::Readiness;

/// What is put into one stage.
const INJECTED: Duration = Duration::from_millis(20);
/// What that stage must have grown by, and no other.
const GROWTH_MIN: Duration = Duration::from_millis(18);

/// An API whose finds take `rendering` to render, and the sender of its keys.
fn api(rendering: Duration) -> (Api, watch::Sender<Result<Keys, String>>) {
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
        create: Scripted::new(|batch| Ok(batch.requests.iter().map(|_| Created::Stored).collect())),
        find: Scripted::new(move |batch: &crate::dispatch::Claimed<'_, Lookup>| {
            batch.render(|| thread::sleep(rendering));
            let reply = LookupReply::Warrior(Some(Some(Bytes::from_static(b"{}"))));
            Ok(batch.requests.iter().map(|_| reply.clone()).collect())
        }),
        search: Scripted::new(|batch| Ok(batch.requests.iter().map(|_| None).collect())),
        probe: Box::new(|_| Ok(Readiness::default())),
        is_behind: Box::new(|| false),
    };
    let budget = Budget::new(1 << 20);
    let (deadline, registry) = (Duration::from_secs(20), &mut Registry::default());
    let (dispatch, _threads) =
        Dispatch::start(&sizes, executors, deadline, &budget, registry).unwrap();
    let keys = Keys::new(&crate::config::Secret::new("secret"));
    let (known, keys) = watch::channel(Ok(keys));
    (Api::new(dispatch, keys, deadline), known)
}

async fn stages(api: &Api, method: &str, target: &str) -> Stages {
    let head = head(method, target, &[("prefer", "server-timing")]);
    let asked = api.read(Received::Request(head, Bytes::from_static(BODY)));
    let answer = api.answer(asked).await;
    assert!(answer.response.headers().contains_key(SERVER_TIMING));
    answer.stages
}

/// Whether this stage of the second, and no other, has grown by what was put in.
fn has_grown_alone(stage: &str, before: &Stages, after: &Stages) -> bool {
    println!("{stage}: {before:?} then {after:?}");
    let mut both = before.named().into_iter().zip(after.named());
    both.all(|((name, before), (_, after))| {
        (after.saturating_sub(before) >= GROWTH_MIN) == (name == stage)
    })
}

#[tokio::test]
async fn what_is_rendered_for_longer_is_the_render_s_time() {
    let ((quick, _quick), (slow, _slow)) = (api(Duration::ZERO), api(INJECTED));
    let target = format!("/warrior/{}", Keys::fresh());
    loop {
        let before = stages(&quick, "GET", &target).await;
        let after = stages(&slow, "GET", &target).await;
        assert!(after.render >= INJECTED, "{after:?}");
        if has_grown_alone("render", &before, &after) {
            return;
        }
    }
}

/// The keys are held by whoever renews them.
#[tokio::test]
async fn what_comes_before_the_lane_is_the_parse_s_time() {
    let (api, known) = api(Duration::ZERO);
    let known = Arc::new(known);
    loop {
        let before = stages(&api, "POST", "/warrior").await;
        let (holds, held) = std::sync::mpsc::sync_channel(1);
        let renewed = Arc::clone(&known);
        let renewing = thread::spawn(move || {
            renewed.send_modify(|_| {
                holds.send(()).unwrap();
                thread::sleep(2 * INJECTED);
            });
        });
        held.recv().unwrap();
        let after = stages(&api, "POST", "/warrior").await;
        renewing.join().unwrap();
        if has_grown_alone("parse", &before, &after) {
            return;
        }
    }
}
