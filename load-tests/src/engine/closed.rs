//! The closed model: every connection sends its next request when the answer has come. Peak throughput is
//! found this way; latency at a given rate is not, since a slow server is asked less (coordinated omission).

use std::rc::Rc;

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::exchange::location_of;
use super::pool::Counted;
use super::timer::now;
use super::worker::Worker;
use crate::schedule::stream;
use crate::workload::Prepared;

/// Keeps this thread's share of the connections busy for the plan's length.
pub(super) async fn run(worker: &Rc<Worker>, connections: usize) {
    worker.timer.sleep_until(worker.start).await;
    let end = worker.start + worker.plan.length.as_nanos() as u64;
    for connection in (worker.index..connections).step_by(worker.plan.threads) {
        let (entered, worker) = (worker.enter(), Rc::clone(worker));
        tokio::task::spawn_local(async move {
            let _counted = entered;
            user(&worker, connection as u64, end).await;
        });
    }
    worker.users_ended().await;
}

async fn user(worker: &Worker, connection: u64, end: u64) {
    let mut own: Option<Counted> = None;
    let mut choice = stream(worker.plan.seed, u64::MAX, connection);
    // Indices of different connections do not meet: payloads stay distinct and repeatable.
    let mut index = connection << 40;
    while now() < end && !worker.stopped() {
        let scenario = &worker.plan.scenarios[choose(worker, &mut choice)];
        let prepared = match scenario.maker.make(index, &worker.known.borrow()) {
            Ok(prepared) => prepared,
            Err(error) => return worker.give_up(error),
        };
        index += 1;
        let begun = now();
        let result = worker
            .request(scenario.endpoint, (begun, begun), &prepared, &mut own)
            .await;
        match result {
            Ok(answer) if answer.status == 201 && prepared.is_create => {
                let Some(location) = location_of(&answer) else {
                    continue;
                };
                worker.remember(location.clone());
                if let Some(follow) = &scenario.follow {
                    let get = Prepared::get(&worker.plan.target, location, 200);
                    let begun = now();
                    worker
                        .request(follow.endpoint, (begun, begun), &get, &mut own)
                        .await
                        .ok();
                }
            }
            Ok(_) => {}
            // A target that is down must not be asked as fast as the CPU allows.
            Err(_) => worker.timer.sleep_until(now() + 10_000_000).await,
        }
    }
}

fn choose(worker: &Worker, choice: &mut Pcg64Mcg) -> usize {
    let scenarios = &worker.plan.scenarios;
    let total: u32 = scenarios.iter().map(|scenario| scenario.weight).sum();
    let mut drawn = choice.random_range(0..total.max(1));
    for (index, scenario) in scenarios.iter().enumerate() {
        if drawn < scenario.weight {
            return index;
        }
        drawn -= scenario.weight;
    }
    0
}
