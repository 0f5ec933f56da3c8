//! Progress of a long command on standard error: one line that is rewritten on a terminal, a line now and then elsewhere.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use super::output::Output;

/// Pauses between two accounts, on a terminal and elsewhere.
const ON_TERMINAL: Duration = Duration::from_millis(200);
const ELSEWHERE: Duration = Duration::from_secs(5);

/// The account of one step that takes rows one after the other.
pub(super) struct Progress {
    output: Output,
    /// What is being done: "copying".
    doing: &'static str,
    total: u64,
    /// Rows that an earlier run had done: they say nothing of the speed of this one.
    before: u64,
    started: Instant,
    told: Instant,
    terminal: bool,
    shown: bool,
}

impl Progress {
    /// A step of `total` rows, `before` of which are done.
    pub(super) fn new(output: Output, doing: &'static str, before: u64, total: u64) -> Self {
        let now = Instant::now();
        Self {
            output,
            doing,
            total,
            before,
            started: now,
            told: now,
            terminal: std::io::stderr().is_terminal() && output.is_text(),
            shown: false,
        }
    }

    /// Tells it, if it is time to, that `done` rows are done.
    pub(super) fn at(&mut self, done: u64) {
        if done >= self.total {
            self.clear();
            return;
        }
        let pause = match self.terminal {
            true => ON_TERMINAL,
            false => ELSEWHERE,
        };
        if self.told.elapsed() < pause {
            return;
        }
        self.told = Instant::now();
        let line = self.line(done, self.started.elapsed());
        if self.terminal {
            self.shown = true;
            // Back to the first column, and clear what was longer.
            let _ = write!(std::io::stderr(), "\r{line}\x1b[K");
        } else {
            self.output.print_status(&line);
        }
    }

    /// Leaves the line to others.
    fn clear(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
            self.shown = false;
        }
    }

    fn line(&self, done: u64, took: Duration) -> String {
        let (doing, total) = (self.doing, self.total);
        let speed = done.saturating_sub(self.before) as f64 / took.as_secs_f64().max(0.001);
        let left = match speed >= 1.0 {
            true => time_left(total.saturating_sub(done) as f64 / speed),
            false => "unknown time".to_owned(),
        };
        let percent = done.saturating_mul(100).checked_div(total).unwrap_or(100);
        format!("{doing}: {done} of {total} rows ({percent} %), {speed:.0} rows/s, {left} left")
    }
}

/// Steps that follow each other, with an account of each.
pub(super) struct Steps {
    output: Output,
    current: Option<Progress>,
}

impl Steps {
    pub(super) fn new(output: Output) -> Self {
        Self {
            output,
            current: None,
        }
    }

    /// As [`Progress::at`], of the step `doing`, which has `total` rows.
    pub(super) fn at(&mut self, doing: &'static str, done: u64, total: u64) {
        if self
            .current
            .as_ref()
            .is_none_or(|current| current.doing != doing)
        {
            self.current = Some(Progress::new(self.output, doing, 0, total));
        }
        if let Some(current) = &mut self.current {
            current.at(done);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn time_left(seconds: f64) -> String {
    let seconds = seconds.ceil() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use warrior_api::config::LogFormat;

    #[test]
    fn the_time_left_is_that_of_this_run() {
        let progress = Progress::new(Output(LogFormat::Text), "copying", 400, 1000);
        let line = progress.line(500, Duration::from_secs(2));
        assert_eq!(
            line,
            "copying: 500 of 1000 rows (50 %), 50 rows/s, 0:10 left"
        );
        let line = progress.line(400, Duration::from_secs(2));
        assert!(line.ends_with("0 rows/s, unknown time left"), "{line}");
        assert_eq!(time_left(3725.2), "1:02:06");
    }
}
