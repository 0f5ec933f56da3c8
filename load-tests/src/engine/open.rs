//! The open model: requests leave at moments planned before the run, whatever the server does.

use std::rc::Rc;
use std::time::Duration;

use rand::RngExt;

use super::connection::Answer;
use super::exchange::location_of;
use super::failure::Failure;
use super::plan::{Arrival, ConnectionMode, Follow, Retry, Scenario};
use super::pool::Counted;
use super::timer::now;
use super::worker::Worker;
use crate::schedule::stream;
use crate::workload::Prepared;

/// Bounds the shared connections that each thread opens before the run begins.
const OPENED_AHEAD_MAX: usize = 32;

/// How often a sleep looks whether the run is stopped, in nanoseconds.
const STOP_CHECK: u64 = 100_000_000;

/// The first requests that have a connection opened for them: those due this soon, in nanoseconds.
const OPENED_AHEAD_SPAN: u64 = 10_000_000;

/// Sends every arrival that belongs to this thread, then waits until each has ended.
pub(super) async fn run(worker: &Rc<Worker>, arrivals: &[Arrival]) {
    let mine = arrivals
        .iter()
        .skip(worker.index)
        .step_by(worker.plan.threads);
    if worker.plan.connections == ConnectionMode::Shared {
        let first = mine.clone().take(OPENED_AHEAD_MAX);
        let soon = first.take_while(|arrival| arrival.at_nanos < OPENED_AHEAD_SPAN);
        open_ahead(worker, soon.count()).await;
    }
    for arrival in mine {
        // The request is made while there is nothing to do yet, not when it is due.
        let scenario = &worker.plan.scenarios[arrival.scenario as usize];
        let prepared = scenario
            .maker
            .make(u64::from(arrival.index), &worker.known.borrow());
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                worker.give_up(error);
                break;
            }
        };
        let intended = worker.start + arrival.at_nanos;
        sleep_while_going_on(worker, intended).await;
        if worker.stopped() {
            break;
        }
        let (begun, entered) = (now(), worker.enter());
        let (worker, arrival) = (Rc::clone(worker), *arrival);
        tokio::task::spawn_local(async move {
            let _counted = entered;
            user(&worker, arrival, (intended, begun), prepared).await;
        });
    }
    worker.users_ended().await;
}

/// Sleeps until a moment, which may be minutes away at a low rate, or until the run is stopped.
async fn sleep_while_going_on(worker: &Worker, moment: u64) {
    while !worker.stopped() && now() < moment {
        let check = now() + STOP_CHECK;
        worker.timer.sleep_until(moment.min(check)).await;
    }
}

/// Opens the connections of the first requests before the first moment, so that a high rate does not begin with
/// a burst of handshakes that says nothing about the server. A server with a short listen backlog, or one that
/// serves its connections one by one, would be held up by more than are used at once, and one that accepts none
/// must not hold up the schedule.
async fn open_ahead(worker: &Worker, wanted: usize) {
    let mut opened = Vec::new();
    let opening = async {
        while opened.len() < wanted {
            // A target that cannot be connected to shows in the requests themselves.
            let Ok((counted, _)) = worker.pool.connect().await else {
                break;
            };
            opened.push(counted);
        }
    };
    tokio::select! {
        () = opening => {}
        () = worker.timer.sleep_until(worker.start) => {}
    }
    // The first to be accepted is the first to be used.
    let opened = opened.into_iter().rev();
    opened.for_each(|counted| worker.pool.release(counted));
}

/// One virtual user: the request, its repeats after a 503, and what follows a 201.
async fn user(worker: &Worker, arrival: Arrival, moments: (u64, u64), prepared: Prepared) {
    let scenario: &Scenario = &worker.plan.scenarios[arrival.scenario as usize];
    let mut own: Option<Counted> = None;
    let mut result = worker
        .request(scenario.endpoint, moments, &prepared, &mut own)
        .await;
    if let Some(retry) = &scenario.retry {
        result = repeat(worker, arrival, retry, &prepared, result, &mut own).await;
    }
    let created = result
        .ok()
        .filter(|answer| answer.status == 201 && prepared.is_create);
    if let Some(location) = created.as_ref().and_then(location_of) {
        worker.remember(location.clone());
        if let Some(follow) = &scenario.follow {
            if worker.plan.connections == ConnectionMode::Shared {
                give_back(worker, &mut own);
            }
            let due = now() + pause(worker, follow, arrival);
            worker.timer.sleep_until(due).await;
            if worker.stopped() {
                return;
            }
            let get = Prepared::get(&worker.plan.target, location, 200);
            let begun = now();
            // The answer is counted by `request`; nothing follows it.
            worker
                .request(follow.endpoint, (due, begun), &get, &mut own)
                .await
                .ok();
        }
    }
    if worker.plan.connections == ConnectionMode::Shared {
        give_back(worker, &mut own);
    }
}

/// Repeats a request as long as it is answered 503, each time when the `Retry-After` is over; the last result.
async fn repeat(
    worker: &Worker,
    arrival: Arrival,
    retry: &Retry,
    prepared: &Prepared,
    mut result: Result<Answer, Failure>,
    own: &mut Option<Counted>,
) -> Result<Answer, Failure> {
    let maker = &worker.plan.scenarios[arrival.scenario as usize].maker;
    for attempt in 1..=retry.times {
        let Some(wait) = retry_after(&result).filter(|wait| *wait <= worker.plan.timeout) else {
            break;
        };
        if worker.plan.connections == ConnectionMode::Shared {
            give_back(worker, own);
        }
        let due = now() + wait.as_nanos() as u64;
        worker.timer.sleep_until(due).await;
        if worker.stopped() {
            break;
        }
        let again = if prepared.is_create {
            // No other arrival has this index, so the warrior is another one.
            let index = u64::from(arrival.index) | u64::from(attempt) << 32;
            maker.make(index, &worker.known.borrow())
        } else {
            Ok(prepared.clone())
        };
        let again = match again {
            Ok(again) => again,
            Err(error) => {
                worker.give_up(error);
                break;
            }
        };
        let moments = (due, now());
        result = worker.request(retry.endpoint, moments, &again, own).await;
    }
    result
}

/// How long a 503 asks to be left alone.
fn retry_after(result: &Result<Answer, Failure>) -> Option<Duration> {
    result.as_ref().ok()?.retry_after
}

fn give_back(worker: &Worker, own: &mut Option<Counted>) {
    if let Some(counted) = own.take() {
        worker.pool.release(counted);
    }
}

/// The pause before a follow-up, drawn from the seed and not from the run's course.
fn pause(worker: &Worker, follow: &Follow, arrival: Arrival) -> u64 {
    let (least, most) = (
        follow.after.0.as_nanos() as u64,
        follow.after.1.as_nanos() as u64,
    );
    let lane = u64::from(arrival.scenario) + (1 << 32);
    stream(worker.plan.seed, lane, u64::from(arrival.index)).random_range(least..=most.max(least))
}
