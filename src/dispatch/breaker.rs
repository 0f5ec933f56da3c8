//! The circuit breaker: while the database does not answer, requests wait for it at first, and are then refused at once.
//!
//! An outage begins with a batch, or a probe, that finds no connection; workers keep what they could not send, and send
//! nothing more. A [probe](super::probe) asks again and again, which is the half-open state
//! without a request at risk: the first answer ends the outage, and all lanes go on at once. An outage that is older than
//! half of a request's deadline opens the breaker, and so does one of a database that has never answered. One that is given
//! up, as DuckDB gives up a file after a fatal error, opens it for good.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::figures::BreakerFigures;
use crate::store::Readiness;
use crate::throttle::throttled;

/// Longest time in which a database that has answered lately answers a check. A load balancer's check waits half a second
/// (`balancer/haproxy.cfg`).
const CHECK_TIMEOUT: Duration = Duration::from_millis(200);

/// The state of the database as all lanes and the probe see it.
pub(super) struct Breaker {
    born: Instant,
    /// The age of an outage from which on requests are refused.
    patience: Duration,
    /// Microseconds from `born` to the database's last answer; 0 before the first.
    last_success_micros: AtomicU64,
    /// The same to the beginning of the outage; 0 while there is none.
    outage_since_micros: AtomicU64,
    /// The same to the end of the last outage; 0 before the first.
    outage_ended_micros: AtomicU64,
    /// The outage will not end.
    given_up: AtomicBool,
    /// Held while an outage begins or ends; whether its refusals have been announced.
    announced: Mutex<bool>,
    ended: Condvar,
    /// Ends the probe when it is dropped.
    probe: SyncSender<Call>,
}

/// A reason to wake the probe.
pub(super) enum Call {
    /// An outage has begun.
    Outage,
    /// `/ready` asks.
    Check(oneshot::Sender<Result<Readiness, String>>),
}

impl Breaker {
    /// A closed breaker whose probe receives from `probe`.
    pub(super) fn new(probe: SyncSender<Call>, deadline: Duration) -> Self {
        Self {
            born: Instant::now(),
            patience: deadline / 2,
            last_success_micros: AtomicU64::new(0),
            outage_since_micros: AtomicU64::new(0),
            outage_ended_micros: AtomicU64::new(0),
            given_up: AtomicBool::new(false),
            announced: Mutex::new(false),
            ended: Condvar::new(),
            probe,
        }
    }

    /// Whether requests are refused.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        let age = self.age(&self.outage_since_micros, now);
        age.is_some_and(|age| !self.is_waited(age))
    }

    /// Whether the database is known not to answer.
    pub(super) fn is_out(&self) -> bool {
        self.outage_since_micros.load(Ordering::Acquire) > 0
    }

    /// How long the outage has lasted; zero while there is none.
    pub(super) fn outage(&self, now: Instant) -> Duration {
        self.age(&self.outage_since_micros, now).unwrap_or_default()
    }

    pub(super) fn figures(&self, now: Instant) -> BreakerFigures {
        BreakerFigures {
            open: self.is_open(now),
            outage_seconds: self.outage(now).as_secs_f64(),
        }
    }

    /// Whether what has waited since `at` has waited for the database, and not for a worker alone.
    pub(super) fn was_out_since(&self, at: Instant) -> bool {
        self.is_out() || self.outage_ended_micros.load(Ordering::Acquire) >= self.micros(at)
    }

    /// Whether the database has ever answered, and may do so again. One that has not is no outage that ends in a moment.
    pub(super) fn has_answered(&self) -> bool {
        self.last_success_micros.load(Ordering::Acquire) > 0
            && !self.given_up.load(Ordering::Acquire)
    }

    /// Whether there is an outage that requests wait out.
    fn is_waited_out(&self, now: Instant) -> bool {
        let age = self.age(&self.outage_since_micros, now);
        age.is_some_and(|age| self.is_waited(age))
    }

    /// Whether requests wait out an outage of this age.
    fn is_waited(&self, age: Duration) -> bool {
        self.has_answered() && age < self.patience
    }

    /// The time since a mark, which is read once: what it marks may end meanwhile. None where there is none.
    fn age(&self, mark: &AtomicU64, now: Instant) -> Option<Duration> {
        let at = mark.load(Ordering::Acquire);
        (at > 0).then(|| Duration::from_micros(self.micros(now).saturating_sub(at)))
    }

    /// The database has answered a batch or the probe.
    pub(super) fn succeeded(&self) {
        let now = Instant::now();
        self.last_success_micros
            .store(self.micros(now), Ordering::Release);
        if self.is_out() {
            self.end(now);
        }
    }

    /// No connection was to be had since `since`. Begins an outage unless the database has answered meanwhile: then one
    /// connection is in trouble, and not the database.
    pub(super) fn failed(&self, since: Instant, why: &str) {
        let since = self.micros(since);
        {
            let mut announced = self.announced.lock();
            if self.is_out() || self.last_success_micros.load(Ordering::Acquire) >= since {
                return;
            }
            self.outage_since_micros.store(since, Ordering::Release);
            *announced = false;
        }
        if self.has_answered() {
            throttled!(
                WARN,
                "the database does not answer: requests wait for it",
                lane = "",
                reason = "database_waited_for",
                patience_seconds = self.patience.as_secs_f64(),
                error = why
            );
        }
        self.announce(why);
        let _ = self.probe.try_send(Call::Outage);
    }

    /// No statement will reach the database any more: an outage without an end, which nobody waits for.
    pub(super) fn give_up(&self, why: &str) {
        if self.given_up.swap(true, Ordering::AcqRel) {
            return;
        }
        {
            let _announced = self.announced.lock();
            let now = self.micros(Instant::now());
            let since = &self.outage_since_micros;
            let _ = since.compare_exchange(0, now, Ordering::AcqRel, Ordering::Acquire);
            self.ended.notify_all();
        }
        self.announce(why);
    }

    /// Waits for the end of the outage, at most `limit`. Blocks.
    pub(super) fn await_end(&self, limit: Duration) {
        let mut announced = self.announced.lock();
        if self.is_out() {
            self.ended.wait_for(&mut announced, limit);
        }
    }

    /// Asks the probe for the database's fitness; `limit` bounds the wait, since the database may keep silent. None while
    /// requests would wait for it: during an outage that they wait out, and in a silence that is as young.
    ///
    /// # Errors
    /// A sentence for people.
    pub(super) async fn check(&self, limit: Duration) -> Result<Option<Readiness>, String> {
        if self.is_waited_out(Instant::now()) {
            return Ok(None);
        }
        let limit = match self.answered_lately() {
            true => limit.min(CHECK_TIMEOUT),
            false => limit,
        };
        match self.ask(limit).await {
            Ok(Err(_)) if self.is_waited_out(Instant::now()) => Ok(None),
            Ok(answer) => answer.map(Some),
            Err(_) if self.answered_lately() => Ok(None),
            Err(silence) => Err(silence),
        }
    }

    /// # Errors
    /// Without an answer in time.
    async fn ask(&self, limit: Duration) -> Result<Result<Readiness, String>, String> {
        let (sender, receiver) = oneshot::channel();
        self.probe
            .try_send(Call::Check(sender))
            .map_err(|_| "the probe is busy".to_owned())?;
        match timeout(limit, receiver).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err("the probe has ended".to_owned()),
            Err(_) => Err(format!("no answer from the database within {limit:?}")),
        }
    }

    /// Whether its last answer is younger than an outage that requests wait out.
    fn answered_lately(&self) -> bool {
        let age = self.age(&self.last_success_micros, Instant::now());
        self.has_answered() && age.is_some_and(|age| age < self.patience)
    }

    /// Says once that requests are refused, from the moment on when they are.
    pub(super) fn announce(&self, why: &str) {
        let mut announced = self.announced.lock();
        if !*announced && self.is_open(Instant::now()) {
            *announced = true;
            throttled!(
                ERROR,
                "the database is gone: refusing requests until it answers",
                lane = "",
                reason = "database_gone",
                error = why
            );
        }
    }

    fn end(&self, now: Instant) {
        let announced = self.announced.lock();
        if self.given_up.load(Ordering::Acquire) {
            return;
        }
        let lasted = self.outage(now);
        // Before the end itself: between the two marks nobody may find neither.
        self.outage_ended_micros
            .store(self.micros(now), Ordering::Release);
        if self.outage_since_micros.swap(0, Ordering::AcqRel) > 0 {
            self.ended.notify_all();
            throttled!(
                INFO,
                "the database is back",
                lane = "",
                reason = "database_back",
                outage_seconds = lasted.as_secs_f64(),
                refused = *announced
            );
        }
    }

    /// Microseconds since the breaker was made, at least 1: 0 stands for never.
    fn micros(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.born);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BALANCER: &str = include_str!("../../balancer/haproxy.cfg");

    /// HAProxy gives a check as long as `inter` says, where no `timeout check` says otherwise; half of it is left for the
    /// way there and back, on a machine that is busy.
    #[test]
    fn a_load_balancer_waits_for_longer_than_a_check_takes() {
        assert!(!BALANCER.contains("timeout check"), "compare that one, too");
        let mut words = BALANCER.split_whitespace();
        words
            .find(|word| *word == "inter")
            .expect("a check has an interval");
        let inter = words.next().and_then(|value| value.strip_suffix("ms"));
        let inter = inter
            .and_then(|value| value.parse().ok())
            .expect("in milliseconds");
        assert!(
            2 * CHECK_TIMEOUT <= Duration::from_millis(inter),
            "{inter} ms"
        );
    }
}
