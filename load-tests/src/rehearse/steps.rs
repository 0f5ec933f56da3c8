//! The steps of a rehearsal, timed: how long clients would wait on either way.

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::output::say;

/// The steps that were taken, and how long each took.
#[derive(Default)]
pub(super) struct Steps {
    taken: Vec<Step>,
}

struct Step {
    name: &'static str,
    took: Duration,
    /// During which of the two ways clients wait for it.
    waits: Option<Way>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Over,
    Back,
}

impl Steps {
    pub(super) fn take<T>(
        &mut self,
        name: &'static str,
        waits: Option<Way>,
        step: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        say(format_args!("== {name}"));
        let began = Instant::now();
        let done = step();
        self.taken.push(Step {
            name,
            took: began.elapsed(),
            waits,
        });
        done.with_context(|| format!("the step `{name}` failed"))
    }

    fn wait(&self, way: Way) -> f64 {
        let waits = self.taken.iter().filter(|step| step.waits == Some(way));
        waits.map(|step| step.took).sum::<Duration>().as_secs_f64()
    }

    pub(super) fn print(&self) {
        say(format_args!("\n{:<38} {:>9}  clients", "step", "seconds"));
        for step in &self.taken {
            let clients = if step.waits.is_some() {
                "wait"
            } else {
                "do not wait"
            };
            say(format_args!(
                "{:<38} {:>9.1}  {clients}",
                step.name,
                step.took.as_secs_f64()
            ));
        }
        say(format_args!(
            "clients would wait {:.1} s on the way over, {:.1} s on the way back",
            self.wait(Way::Over),
            self.wait(Way::Back)
        ));
    }
}
