//! Supervision with exponential backoff: a child that dies is restarted until a stop is asked for.
//!
//! There is no last attempt: once a full disk is emptied or a port is free again, the next one succeeds.

use std::time::{Duration, Instant};

use crate::error::StackError;
use crate::stack::Stack;
use crate::stop::Stop;

/// How often the children are checked, which takes a few calls of the system. It is a part of each outage, which requests
/// wait out.
const CHILD_CHECK_INTERVAL: Duration = Duration::from_millis(50);
/// The backoff after the first attempt; each later one is twice as long, up to [`BACKOFF_MAX`].
const BACKOFF_MIN: Duration = Duration::from_millis(250);
/// It is a part of the outage once its cause has gone. An attempt costs a tenth of a second and a line in the log.
const BACKOFF_MAX: Duration = Duration::from_secs(8);
/// How long a child must run before its backoff begins anew.
const BACKOFF_RESET_AFTER: Duration = Duration::from_secs(60);

impl Stack {
    /// Supervises PostgreSQL and PgBouncer until `stop`: starts again what has ended and what a package
    /// upgrade has replaced. Each attempt leaves a line in the log.
    ///
    /// # Errors
    /// [`StackError::Vanished`] when the data is gone.
    pub fn supervise(&mut self, stop: &Stop) -> Result<(), StackError> {
        let (mut postgres, mut pooler) = (Attempts::new("PostgreSQL"), Attempts::new("PgBouncer"));
        while !stop.wait_within(CHILD_CHECK_INTERVAL) {
            self.cluster.check_exists(&self.folder)?;
            let cause = self
                .cluster
                .exit_report()
                .or_else(|| self.cluster.replaced());
            // PgBouncer waits for PostgreSQL, since its start ends with a query.
            if postgres.attend(cause, || self.cluster.restart(&self.folder, stop)) {
                let cause = self.pooler.exit_report().or_else(|| self.pooler.replaced());
                pooler.attend(cause, || self.pooler.restart(&self.folder, stop));
            }
        }
        Ok(())
    }
}

/// The restarts of one child, and their backoff.
struct Attempts {
    name: &'static str,
    /// Failures since the last success.
    failed: u32,
    pause: Duration,
    /// When the last attempt ended.
    last: Option<Instant>,
}

impl Attempts {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            failed: 0,
            pause: Duration::ZERO,
            last: None,
        }
    }

    /// Runs `restart` when there is a `cause` and the backoff is over; false while the child does not run.
    fn attend(
        &mut self,
        cause: Option<String>,
        restart: impl FnOnce() -> Result<(), StackError>,
    ) -> bool {
        let Some(cause) = cause else {
            return true;
        };
        if !self.is_due(Instant::now()) {
            return false;
        }
        if self.failed == 0 {
            tracing::error!("{}; it is started again", one_line(&cause));
        }
        let result = restart();
        self.ended(result.is_ok(), Instant::now());
        match result {
            Ok(()) => {
                tracing::warn!("{} runs again", self.name);
                true
            }
            // The caller sees the stop at its next check.
            Err(StackError::Interrupted) => false,
            Err(e) => {
                let (e, failed, pause) = (one_line(&e.to_string()), self.failed, self.pause);
                tracing::error!("{e}; attempt {failed} failed, the next one is in {pause:?}");
                false
            }
        }
    }

    fn is_due(&mut self, now: Instant) -> bool {
        let Some(last) = self.last else {
            return true;
        };
        if self.failed == 0 && now >= last + BACKOFF_RESET_AFTER {
            self.pause = Duration::ZERO;
        }
        now >= last + self.pause
    }

    fn ended(&mut self, success: bool, now: Instant) {
        self.failed = if success { 0 } else { self.failed + 1 };
        self.pause = (2 * self.pause).clamp(BACKOFF_MIN, BACKOFF_MAX);
        self.last = Some(now);
    }
}

/// The last lines of a log, which errors carry, as one log line.
fn one_line(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    lines.join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_without_end_and_begin_anew_after_a_quiet_time() {
        let mut attempts = Attempts::new("it");
        let mut now = Instant::now();
        assert!(attempts.is_due(now));
        let mut pauses = Vec::new();
        for _ in 0..100 {
            attempts.ended(false, now);
            pauses.push(attempts.pause);
            assert!(!attempts.is_due(now + attempts.pause - Duration::from_millis(1)));
            now += attempts.pause;
            assert!(attempts.is_due(now));
        }
        assert_eq!(pauses[..3], [BACKOFF_MIN, 2 * BACKOFF_MIN, 4 * BACKOFF_MIN]);
        assert_eq!(pauses[99], BACKOFF_MAX);
        // A child that starts and dies at once counts like one that does not start.
        attempts.ended(true, now);
        assert!(!attempts.is_due(now + BACKOFF_MIN));
        assert!(attempts.is_due(now + BACKOFF_RESET_AFTER));
        attempts.ended(true, now);
        assert_eq!(attempts.pause, BACKOFF_MIN);
    }

    #[test]
    fn the_end_of_a_log_becomes_one_line() {
        assert_eq!(
            one_line("it ended\n    first\n    second"),
            "it ended | first | second"
        );
    }
}
