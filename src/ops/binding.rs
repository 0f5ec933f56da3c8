//! Bottleneck analysis: one sentence that names the limit that binds now, its figure and what to set.
//!
//! A limit binds when something waits before it and it is used up. Requests pass many limits, one behind the other,
//! and one that is used up makes all before it look so, too: behind a lock, connections, workers and queues fill. So
//! the limits are asked from the database outwards, and the first that binds is named.

mod database;
mod pools;
mod server;
#[cfg(test)]
mod tests;
mod window;
mod wording;

use super::figures::{Binds, Figures, Limit};
use window::Window;
use wording::{count, doing, times};

/// Asks one limit whether it binds; when it does, what to say.
type Check = fn(&Window<'_>) -> Option<Binds>;

/// Innermost first. A lock comes before all: it looks like each of the others. Then what no PostgreSQL can serve
/// without, its connections; then what has a queue of its own, each after that on which it waits.
const CHECKS: [Check; 12] = [
    database::lock,
    pools::postgres_connections,
    database::gone,
    database::cpu,
    pools::pgbouncer_pool,
    pools::pgbouncer_clients,
    pools::r2d2,
    database::disk,
    server::cpu,
    server::workers,
    server::clients,
    server::queue,
];

/// What binds, between `earlier` and `now`: figures of one server, best some seconds apart. Where nothing was seen in
/// between, nothing binds.
pub(super) fn judge(earlier: &Figures, now: &Figures) -> Binds {
    let Some(window) = Window::between(earlier, now) else {
        return unknown();
    };
    let bound = CHECKS.iter().find_map(|check| check(&window));
    bound.unwrap_or_else(|| nothing(&window))
}

/// Where there is nothing earlier to compare with.
pub(super) fn unknown() -> Binds {
    let sentence = "Nothing can be said yet: the server has just started.";
    binds(Limit::None, sentence.to_owned())
}

/// What is nearest to its limit, where none binds.
fn nothing(window: &Window<'_>) -> Binds {
    let answers = window.answers();
    let lanes = window.lanes();
    let busiest = lanes.iter().max_by(|a, b| a.busy.total_cmp(&b.busy));
    let sentence = match busiest {
        Some(load) if answers > 0 => format!(
            "Nothing binds: the busiest lane, {}, has {} of {} at work, and {} for them.",
            load.lane.lane,
            count(load.busy * load.lane.workers as f64),
            times(load.lane.workers as f64, "worker"),
            match load.waiting < 0.05 {
                true => "no request waits".to_owned(),
                false => doing(load.waiting, "request", "waits", "wait"),
            }
        ),
        _ => format!(
            "Nothing binds: no request was answered in the last {:.0} s.",
            window.seconds
        ),
    };
    binds(Limit::None, sentence)
}

fn binds(limit: Limit, sentence: String) -> Binds {
    Binds { limit, sentence }
}
