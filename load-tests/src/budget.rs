//! A time budget: what is left of it, and whether one more step fits.

use std::time::{Duration, Instant};

/// The time that a search for a figure may take.
#[derive(Debug)]
pub(crate) struct Budget {
    end: Instant,
    /// How long a step takes: a moving average, which began with what was known.
    step: Duration,
}

impl Budget {
    /// A budget that begins now; `step` is how long one step takes as far as is known.
    pub(crate) fn begin(whole: Duration, step: Duration) -> Budget {
        Budget {
            end: Instant::now() + whole,
            step,
        }
    }

    /// What is left.
    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Whether so many more steps fit.
    pub(crate) fn fits(&self, steps: u32) -> bool {
        self.left() >= self.step * steps
    }

    /// Notes how long a step took: the estimate follows slowly.
    pub(crate) fn took(&mut self, step: Duration) {
        self.step = (self.step * 3 + step) / 4;
    }

    /// What is left, for reading: `3m 20s`.
    pub(crate) fn show_left(&self) -> String {
        humantime::format_duration(Duration::from_secs(self.left().as_secs())).to_string()
    }
}
