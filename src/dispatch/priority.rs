//! Priority load shedding: while creates or finds stand in a queue, only a share of the searches is let in.
//!
//! Lanes have queues and workers of their own, and share the processors of the database. A queue stands when for a whole
//! interval each batch is full, and even its newest request has waited longer than a target (the criterion of CoDel): what
//! waits for a slow batch and then goes all at once is no queue that fewer searches would shorten. A queue that grows fills
//! batches sooner or later, and until then no wait is longer than a batch; unless requests are refused first, for want of
//! room or time, which is a queue that stands, too. The share of searches is halved at the end of each such interval, and
//! grows step by step at the end of the others (additive increase, multiplicative decrease), so that it settles where
//! creates and finds are done in time.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Queue wait that is no overload yet: that of DAGOR.
const WAIT_TARGET: Duration = Duration::from_millis(20);
/// Time between two looks at the queues: that of CoDel.
const INTERVAL: Duration = Duration::from_millis(100);
/// Parts in which the share of searches is counted, of which one is always let in: none at all would look as if searches
/// were broken.
const PARTS: u32 = 16;

/// The share of searches that is let in, which follows the queue waits of the lanes that have priority.
pub(super) struct Priority(Mutex<State>);

struct State {
    /// Parts of [`PARTS`] that are let in.
    share: u32,
    /// Parts that are owed to the next search; a whole lets it in.
    credit: u32,
    interval_began: Instant,
    /// The shortest wait of a batch's newest request in this interval, for each lane that had a batch.
    shortest: [Option<Duration>; super::timeline::LANES.len()],
    /// One of them has refused a request in this interval.
    refused: bool,
}

impl Priority {
    /// Lets in all, as long as no queue stands.
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            share: PARTS,
            credit: 0,
            interval_began: Instant::now(),
            shortest: Default::default(),
            refused: false,
        }))
    }

    /// A worker of a lane with priority has taken a full batch whose newest request waited so long, or, after no wait at
    /// all, one that is not full.
    pub(super) fn taken(&self, lane: usize, newest_waited: Duration, now: Instant) {
        let mut state = self.0.lock();
        state.end_interval(now);
        let shortest = &mut state.shortest[lane];
        *shortest = Some(shortest.map_or(newest_waited, |known| known.min(newest_waited)));
    }

    /// A lane with priority has refused a request that would have waited too long, or has no room for it.
    pub(super) fn refused(&self, now: Instant) {
        let mut state = self.0.lock();
        state.end_interval(now);
        state.refused = true;
    }

    /// Whether the next search is let in.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let mut state = self.0.lock();
        state.end_interval(now);
        state.credit += state.share;
        let admits = state.credit >= PARTS;
        if admits {
            state.credit -= PARTS;
        }
        admits
    }
}

impl State {
    /// Adapts the share once the interval is over. Where none had a batch for several of them, the share grows for each.
    fn end_interval(&mut self, now: Instant) {
        let over = now.saturating_duration_since(self.interval_began);
        if over < INTERVAL {
            return;
        }
        let stands = |shortest: &Option<Duration>| shortest.is_some_and(|wait| wait > WAIT_TARGET);
        let first = if self.refused || self.shortest.iter().any(stands) {
            (self.share / 2).max(1)
        } else {
            self.share + 1
        };
        // In the intervals after the first one there was no batch.
        let later = over.as_micros() / INTERVAL.as_micros() - 1;
        let later = u32::try_from(later).unwrap_or(PARTS).min(PARTS);
        self.share = (first + later).min(PARTS);
        self.interval_began = now;
        self.shortest = Default::default();
        self.refused = false;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const LONG: Duration = Duration::from_millis(21);

    /// An interval in which lanes 0 and 1 have a batch each, whose newest requests waited so long.
    async fn interval(priority: &Priority, waits: [Duration; 2]) {
        for (lane, wait) in waits.into_iter().enumerate() {
            priority.taken(lane, wait, Instant::now());
        }
        advance(INTERVAL).await;
    }

    /// Of so many searches at once, those that are let in.
    fn admitted(priority: &Priority, searches: usize) -> usize {
        let now = Instant::now();
        (0..searches).filter(|_| priority.admits(now)).count()
    }

    #[tokio::test(start_paused = true)]
    async fn the_share_of_searches_is_halved_while_a_queue_stands_and_grows_back() {
        let priority = Priority::new();
        assert_eq!(admitted(&priority, 160), 160);
        for share in [80, 40, 20, 10, 10] {
            interval(&priority, [LONG, Duration::ZERO]).await;
            assert_eq!(admitted(&priority, 160), share);
        }
        for share in [20, 30, 40] {
            interval(&priority, [WAIT_TARGET, WAIT_TARGET]).await;
            assert_eq!(admitted(&priority, 160), share);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_leaves_no_queue_behind_is_no_overload() {
        let priority = Priority::new();
        for _ in 0..3 {
            priority.taken(0, LONG, Instant::now());
            interval(&priority, [Duration::ZERO, WAIT_TARGET]).await;
        }
        assert_eq!(admitted(&priority, 160), 160);
    }

    #[tokio::test(start_paused = true)]
    async fn the_quick_batches_of_one_lane_hide_no_queue_of_another() {
        let priority = Priority::new();
        interval(&priority, [Duration::ZERO, LONG]).await;
        assert_eq!(admitted(&priority, 160), 80);
    }

    #[tokio::test(start_paused = true)]
    async fn lanes_without_requests_need_no_room() {
        let priority = Priority::new();
        for _ in 0..8 {
            interval(&priority, [LONG, LONG]).await;
        }
        assert_eq!(admitted(&priority, 160), 10);
        advance(INTERVAL * PARTS).await;
        assert_eq!(admitted(&priority, 160), 160);
        // Nor does it matter that the last interval with a batch is judged by the search that ends it.
        for _ in 0..8 {
            interval(&priority, [LONG, LONG]).await;
        }
        advance(INTERVAL * PARTS).await;
        assert_eq!(admitted(&priority, 160), 160);
    }
}
