//! Why these sizes: Little's law with the times that were measured, and what the usual formulas would say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sizes::{Size, Sizes};
use crate::telemetry::Telemetry;

/// Little's law for one lane: workers that are busy on average are batches a second times the time of a batch.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LaneLoad {
    /// The lane.
    pub lane: String,
    /// Workers that it has.
    pub workers: u32,
    /// Requests a second.
    pub rate: f64,
    /// Requests of a batch, on average.
    pub batch_size: f64,
    /// Mean time of a batch, in seconds.
    pub batch_seconds: f64,
    /// Mean wait of a request for a worker, in seconds.
    pub queue_seconds: f64,
    /// Workers that were busy on average.
    pub busy: f64,
}

/// A formula that people size pools by, and what it says here.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Formula {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub about: String,
    /// Its result.
    pub value: u32,
    /// What that size is in the chosen configuration.
    pub chosen: u32,
}

/// The load of each lane, as it was measured with these sizes.
pub(super) fn lane_loads(sizes: &Sizes, telemetry: &Telemetry) -> Vec<LaneLoad> {
    let lanes = telemetry.lanes.iter();
    lanes
        .map(|lane| LaneLoad {
            workers: sizes.get(match lane.lane.as_str() {
                "create" => Size::Create,
                "find" => Size::Find,
                _ => Size::Search,
            }),
            lane: lane.lane.clone(),
            rate: lane.rate,
            batch_size: lane.batch_size,
            batch_seconds: lane.batch_seconds,
            queue_seconds: lane.queue_seconds,
            busy: lane.busy,
        })
        .collect()
}

impl LaneLoad {
    /// The law with its numbers.
    pub fn sentence(&self) -> String {
        format!(
            "lane {}: {:.0} requests/s in batches of {:.1} that take {:.1} ms keep {:.2} of {} workers busy (Little's \
             law); a request waits {:.1} ms for one",
            self.lane,
            self.rate,
            self.batch_size,
            self.batch_seconds * 1e3,
            self.busy,
            self.workers,
            self.queue_seconds * 1e3
        )
    }
}

/// What the usual formulas would say on so many cores, beside the chosen sizes.
pub(super) fn formulas(cores: usize, chosen: &Sizes) -> Vec<Formula> {
    let cores = u32::try_from(cores).unwrap_or(u32::MAX);
    let formula = |name: &str, about: &str, value, chosen| Formula {
        name: name.to_owned(),
        about: about.to_owned(),
        value,
        chosen,
    };
    // As many connections as can have something to do in PostgreSQL at once.
    let at_once = chosen.pooler.min(chosen.connections());
    vec![
        formula(
            "cores * 2 + effective spindles (PostgreSQL's wiki, HikariCP)",
            "active connections; a solid-state disk counts as one spindle; it knows neither batches nor the way to \
             the database",
            2 * cores + 1,
            at_once,
        ),
        formula(
            "threads * (connections of a thread - 1) + 1 (HikariCP)",
            "the least pool without a deadlock: a worker needs one connection at a time",
            1,
            at_once,
        ),
        formula(
            "max_connections for a web application (pgtune)",
            "the limit of PostgreSQL; it does not depend on the load and sizes no pool",
            200,
            chosen.postgres_connections(),
        ),
    ]
}
