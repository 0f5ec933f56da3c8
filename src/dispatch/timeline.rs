//! Where the time of a request goes: stages, each of which begins where the one before ends, so that they add up to its
//! duration.
//!
//! The front end keeps a [`Timeline`] for each request, a worker a [`Stopwatch`] for each batch. Both read the clock where
//! it is read anyway, but for once a batch, and around what is rendered.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The lanes, in the order of their numbers.
pub const LANES: [&str; 3] = ["create", "find", "search"];

/// One request: its deadline, and what of its time is known so far.
#[derive(Clone, Copy, Debug)]
pub struct Timeline {
    began: Instant,
    pub(super) deadline: Instant,
    /// The number of its lane, and when it came to it; none until then.
    queued: Option<(usize, Instant)>,
    in_lane: InLane,
}

/// The time of a request from its lane's door to its worker's answer, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct InLane {
    pub(super) queue: Duration,
    pub(super) connect: Duration,
    pub(super) database: Duration,
    pub(super) render: Duration,
}

/// The time of a request, in the order of its stages; they add up to [`Stages::total`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stages {
    /// The number of its lane in [`LANES`]; none for a request that needed no lane.
    pub lane: Option<usize>,
    /// From its last byte to its lane; all of it without a lane.
    pub parse: Duration,
    /// From there to a worker.
    pub queue: Duration,
    /// From there to a connection in hand.
    pub connect: Duration,
    /// Its batch's statements.
    pub database: Duration,
    /// Rendering, and the way back to the answer.
    pub render: Duration,
}

impl Timeline {
    /// A request that came at `began`.
    pub fn new(began: Instant, deadline: Instant) -> Self {
        Self {
            began,
            deadline,
            queued: None,
            in_lane: InLane::default(),
        }
    }

    /// The request is at the door of a lane.
    pub(super) fn came(&mut self, lane: usize, now: Instant) {
        self.queued = Some((lane, now));
    }

    /// The lane has answered.
    pub(super) fn left(&mut self, in_lane: InLane) {
        self.in_lane = in_lane;
    }

    /// The stages of a request that is answered at `now`.
    pub fn end(&self, now: Instant) -> Stages {
        let total = now.duration_since(self.began);
        let Some((lane, came)) = self.queued else {
            return Stages {
                parse: total,
                ..Stages::default()
            };
        };
        let InLane {
            queue,
            connect,
            database,
            ..
        } = self.in_lane;
        let parse = came.duration_since(self.began);
        Stages {
            lane: Some(lane),
            parse,
            queue,
            connect,
            database,
            // What is left is the worker's part, and the way back.
            render: total.saturating_sub(parse + queue + connect + database),
        }
    }
}

impl Stages {
    /// The names and times of the stages, in their order.
    pub fn named(&self) -> [(&'static str, Duration); 5] {
        [
            ("parse", self.parse),
            ("queue", self.queue),
            ("connect", self.connect),
            ("database", self.database),
            ("render", self.render),
        ]
    }

    /// From the last byte of the request to its answer.
    pub fn total(&self) -> Duration {
        self.named().iter().map(|(_, time)| *time).sum()
    }
}

/// The laps of one batch, its repeats and parts included.
pub(super) struct Stopwatch {
    began: Instant,
    lap: Cell<Instant>,
    laps: Cell<InLane>,
    /// Time that the batch has waited for a database that is out.
    waited: Cell<Duration>,
}

impl Stopwatch {
    /// A worker has taken a batch.
    pub(super) fn start(began: Instant) -> Self {
        Self {
            began,
            lap: Cell::new(began),
            laps: Cell::default(),
            waited: Cell::default(),
        }
    }

    /// The batch has waited for a database that is out, which is a part of the lap to its next connection.
    pub(super) fn waited(&self, time: Duration) {
        self.waited.set(self.waited.get() + time);
    }

    /// The time that the lane's work on the batch took: an outage says nothing about the lane's pace.
    pub(super) fn worked(&self, now: Instant) -> Duration {
        now.duration_since(self.began)
            .saturating_sub(self.waited.get())
    }

    /// A connection is in hand, or is not to be had.
    pub(super) fn connected(&self, now: Instant) {
        let mut laps = self.laps.get();
        laps.connect += now.duration_since(self.lap.replace(now));
        self.laps.set(laps);
    }

    /// The statements have ended, and what of their time was `rendering` is known.
    pub(super) fn ran(&self, now: Instant, rendering: Duration) {
        let mut laps = self.laps.get();
        let ran = now.duration_since(self.lap.replace(now));
        laps.database += ran.saturating_sub(rendering);
        laps.render += rendering.min(ran);
        self.laps.set(laps);
    }

    /// The times of one of the batch's requests, which came at `queued_at`.
    pub(super) fn of(&self, queued_at: Instant) -> InLane {
        InLane {
            queue: self.began.duration_since(queued_at),
            ..self.laps.get()
        }
    }
}

/// How far a request has come, for a ticket whose time is over before its worker answers.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Nanoseconds from the queue to a worker; 0 before.
    taken: AtomicU64,
    /// The same to the first claim.
    claimed: AtomicU64,
}

impl Progress {
    pub(super) fn taken(&self, after: Duration) {
        self.taken.store(nanoseconds(after), Ordering::Relaxed);
    }

    pub(super) fn claimed(&self, after: Duration) {
        if self.claimed.load(Ordering::Relaxed) == 0 {
            self.claimed.store(nanoseconds(after), Ordering::Relaxed);
        }
    }

    /// The times of a request that was given up `after` so long.
    pub(super) fn given_up(&self, after: Duration) -> InLane {
        let mark = |at: &AtomicU64, before: Duration| match at.load(Ordering::Relaxed) {
            0 => after,
            nanos => Duration::from_nanos(nanos).clamp(before, after),
        };
        let taken = mark(&self.taken, Duration::ZERO);
        let claimed = mark(&self.claimed, taken);
        InLane {
            queue: taken,
            connect: claimed - taken,
            database: after - claimed,
            render: Duration::ZERO,
        }
    }
}

/// At least 1, since 0 stands for never.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn the_stages_of_a_request_add_up() {
        let began = Instant::now();
        let mut timeline = Timeline::new(began, began + ms(1000));
        assert_eq!(timeline.end(began + ms(3)).parse, ms(3));
        let came = began + ms(1);
        timeline.came(2, came);
        // Its batch is taken after 4 ms, connects for 8, fails after 16, connects for 32, and runs for 64, 5 of which
        // it renders.
        let watch = Stopwatch::start(came + ms(4));
        watch.connected(came + ms(12));
        watch.ran(came + ms(28), ms(0));
        watch.connected(came + ms(60));
        watch.ran(came + ms(124), ms(5));
        timeline.left(watch.of(came));
        let stages = timeline.end(came + ms(126));
        let expected = Stages {
            lane: Some(2),
            parse: ms(1),
            queue: ms(4),
            connect: ms(40),
            database: ms(75),
            render: ms(7),
        };
        assert_eq!(stages, expected);
        assert_eq!(stages.total(), ms(127));
    }

    #[test]
    fn a_request_that_is_given_up_was_where_it_was() {
        let progress = Progress::default();
        assert_eq!(progress.given_up(ms(9)).queue, ms(9));
        progress.taken(ms(2));
        assert_eq!(progress.given_up(ms(9)).connect, ms(7));
        progress.claimed(ms(5));
        progress.claimed(ms(8));
        let expected = InLane {
            queue: ms(2),
            connect: ms(3),
            database: ms(4),
            render: ms(0),
        };
        assert_eq!(progress.given_up(ms(9)), expected);
    }
}
