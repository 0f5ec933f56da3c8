//! Liveness of the database as its connections have shown it, and the pace of logins while they fail.
//!
//! Half-open: while logins fail, one at a time is made as a trial, after a pause with exponential backoff and jitter, and
//! its connection is checked at once. So a database that is down is asked by one login of each server and pool, whatever
//! the pool's size, and the first answer lets all others log in.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// The pause after the first trial that failed; each later one is twice as long, up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(10);
/// Behind a pooler two trials in a row tell that the database is back: the first has the pooler log in.
const PAUSE_MAX: Duration = Duration::from_millis(50);
/// Longest time of the first trial; each later one has twice as long, up to the time of any login. A connection to an
/// address that is gone keeps silent, and the next trial finds the new one.
const TRIAL_LIMIT_MIN: Duration = Duration::from_millis(500);
/// Longest wait of a login for its turn. A pool that is dropped lives on for as long.
const TURN_TIMEOUT: Duration = Duration::from_secs(1);

/// The state of the database as its connections have shown it; shared by the pool's manager and its users.
#[derive(Clone, Debug, Default)]
pub(super) struct Liveness(Arc<Learned>);

#[derive(Debug, Default)]
struct Learned {
    /// Raised when a connection fails: others that were opened or checked earlier are checked again before
    /// they are used.
    epoch: AtomicU64,
    /// There while the last login, or the first check after it, has failed.
    failing: Mutex<Option<Failing>>,
    /// A trial has ended, or logins succeed again.
    changed: Condvar,
    /// Until when no way is tried, since a trial of names has ended its connection: a pooler may lend no transactions.
    no_names_until: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Failing {
    why: String,
    /// Trials that have ended, in vain.
    trials: u32,
    /// One is under way.
    trying: bool,
    /// The next one begins no earlier.
    next: Instant,
}

/// The one login that is made while logins fail.
#[derive(Debug)]
pub(super) struct Trial<'l> {
    learned: &'l Learned,
    /// Longest time of its login.
    pub(super) limit: Duration,
}

// === impl Liveness ===

impl Liveness {
    /// A connection has failed: the others may have, too.
    pub(super) fn suspect_all(&self) {
        self.0.epoch.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn epoch(&self) -> u64 {
        self.0.epoch.load(Ordering::Relaxed)
    }

    /// Why the last login, or the first check after it, failed; none when both succeeded.
    pub(super) fn last_failure(&self) -> Option<String> {
        let failing = self.0.failing.lock();
        failing.as_ref().map(|failing| failing.why.clone())
    }

    pub(super) fn learn(&self, failure: Option<String>) {
        let mut failing = self.0.failing.lock();
        match (failure, &mut *failing) {
            (None, _) => {
                *failing = None;
                self.0.changed.notify_all();
            }
            (Some(why), Some(failing)) => failing.why = why,
            (Some(why), none) => {
                *none = Some(Failing {
                    why,
                    trials: 0,
                    trying: false,
                    next: Instant::now(),
                });
            }
        }
    }

    /// Admits a login: at once while logins succeed, and as a trial while they fail.
    ///
    /// # Errors
    /// Why logins fail, when its turn did not come in [`TURN_TIMEOUT`].
    pub(super) fn admit(&self) -> Result<Option<Trial<'_>>, String> {
        let until = Instant::now() + TURN_TIMEOUT;
        let mut failing = self.0.failing.lock();
        loop {
            let Some(state) = &mut *failing else {
                return Ok(None);
            };
            let now = Instant::now();
            if !state.trying && now >= state.next {
                state.trying = true;
                return Ok(Some(Trial {
                    learned: &self.0,
                    limit: doubled(TRIAL_LIMIT_MIN, state.trials),
                }));
            }
            if now >= until {
                return Err(state.why.clone());
            }
            let wake = match state.trying {
                true => until,
                false => state.next.min(until),
            };
            self.0.changed.wait_until(&mut failing, wake);
        }
    }

    pub(super) fn lets_try_names(&self, now: Instant) -> bool {
        (self.0.no_names_until.lock()).is_none_or(|until| now >= until)
    }

    pub(super) fn stop_trying_names(&self, until: Instant) {
        *self.0.no_names_until.lock() = Some(until);
    }
}

impl Drop for Trial<'_> {
    /// The next one waits, unless this one has succeeded.
    fn drop(&mut self) {
        if let Some(failing) = &mut *self.learned.failing.lock() {
            failing.trying = false;
            failing.next = Instant::now() + pause(failing.trials);
            failing.trials = failing.trials.saturating_add(1);
        }
        self.learned.changed.notify_all();
    }
}

/// Exponential backoff with jitter, from half of the pause to all of it: many servers of one database must not ask it at
/// the same moments.
fn pause(trials: u32) -> Duration {
    let pause = doubled(PAUSE_MIN, trials).min(PAUSE_MAX);
    // Seeded anew each time.
    let random = RandomState::new().hash_one(trials);
    pause / 2 + (pause / 2).mul_f64(random as f64 / u64::MAX as f64)
}

fn doubled(time: Duration, times: u32) -> Duration {
    time.saturating_mul(2_u32.saturating_pow(times))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::thread;

    use super::*;

    /// As the login threads of a pool, which all want a connection.
    #[test]
    fn one_login_at_a_time_is_tried_while_they_fail_and_its_success_admits_all() {
        const THREADS: usize = 16;
        const FAILURES: usize = 5;
        let liveness = Liveness::default();
        assert!(liveness.admit().is_ok_and(|trial| trial.is_none()));
        liveness.learn(Some("down".to_owned()));
        let (trials, at_once) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let log_in = || {
            loop {
                match liveness.admit() {
                    Ok(None) => return,
                    Ok(Some(_trial)) => {
                        assert_eq!(at_once.fetch_add(1, Ordering::SeqCst), 0);
                        let failed = trials.fetch_add(1, Ordering::SeqCst) < FAILURES;
                        at_once.fetch_sub(1, Ordering::SeqCst);
                        liveness.learn(failed.then(|| "still down".to_owned()));
                    }
                    Err(why) => assert!(why.contains("down"), "{why}"),
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(log_in);
            }
        });
        assert_eq!(trials.into_inner(), FAILURES + 1);
        assert_eq!(liveness.last_failure(), None);
    }

    #[test]
    fn a_login_whose_turn_does_not_come_says_why_the_others_fail() {
        let liveness = Liveness::default();
        liveness.learn(Some("silent".to_owned()));
        let trial = liveness.admit().unwrap();
        assert!(trial.is_some());
        assert_eq!(liveness.admit().unwrap_err(), "silent");
    }

    #[test]
    fn pauses_and_limits_double_up_to_a_bound() {
        for (trials, most_ms) in [(0, 10), (1, 20), (2, 40), (3, 50), (40, 50)] {
            let most = Duration::from_millis(most_ms);
            for _ in 0..100 {
                let pause = pause(trials);
                assert!(most / 2 <= pause && pause <= most, "{trials}: {pause:?}");
            }
        }
        assert!(doubled(TRIAL_LIMIT_MIN, 1000) > Duration::from_secs(3600));
    }
}
