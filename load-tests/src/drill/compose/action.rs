//! What is done to a container.

use std::fmt;
use std::thread;
use std::time::Duration;

use anyhow::Context;

use super::containers::{Container, output};

/// Seconds that a container may take to stop: longer than its drain.
const STOP_SECONDS: &str = "20";
/// How long one that was stopped stays so.
const STOPPED: Duration = Duration::from_secs(3);
/// What is done to a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Kill,
    Stop,
    Restart,
}

impl Action {
    /// What is done, for the table.
    pub(super) fn of(self, service: &str) -> String {
        match self {
            Action::Kill => format!("kill -9 of {service}"),
            Action::Stop => format!("stop of {service}, start after {} s", STOPPED.as_secs()),
            Action::Restart => format!("restart of {service}"),
        }
    }

    /// Does it; afterwards the container runs.
    pub(super) fn apply(self, container: &Container) -> anyhow::Result<()> {
        let id = container.id.as_str();
        match self {
            Action::Kill => {
                output(&["docker", "kill", "--signal", "KILL", id])?;
                start(container)
            }
            Action::Stop => {
                let stopped = output(&["docker", "stop", "--time", STOP_SECONDS, id]);
                thread::sleep(STOPPED);
                start(container)?;
                stopped.map(drop)
            }
            Action::Restart => output(&["docker", "restart", "--time", STOP_SECONDS, id]).map(drop),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::Kill => "kill",
            Action::Stop => "stop",
            Action::Restart => "restart",
        })
    }
}

fn start(container: &Container) -> anyhow::Result<()> {
    let started = output(&["docker", "start", &container.id]);
    let advice = || {
        format!(
            "{} is down; start it with: docker start {}",
            container.name, container.name
        )
    };
    started.map(drop).with_context(advice)
}
