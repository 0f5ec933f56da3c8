//! Priority load shedding: while creates or finds stand in a queue, or the database is behind with upkeep that searches hold
//! up, only a share of the searches is let in.
//!
//! Lanes have queues and workers of their own, and share the processors of the database. A queue stands when for a whole
//! interval each batch is full, and even its newest request has waited longer than a target (the criterion of CoDel): what
//! waits for a slow batch and then goes all at once is no queue that fewer searches would shorten. A queue that grows fills
//! batches sooner or later, and until then no wait is longer than a batch; unless requests are refused first, for want of
//! room or time, which is a queue that stands, too. Upkeep is behind before any queue stands where few writers do for what
//! comes. The share of searches is halved at the end of each such interval, and grows by an eighth at the end of the others,
//! so that it settles where creates and finds are done in time. Both steps are proportions, since the share of a flood may
//! have to be a thousand times smaller than that of a busy hour.

use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

/// Queue wait that is no overload yet: that of DAGOR.
const WAIT_TARGET: Duration = Duration::from_millis(20);
/// Time between two looks at the queues: that of CoDel.
const INTERVAL: Duration = Duration::from_millis(100);
/// Parts in which the share of searches is counted. It may become none: a search costs as much as a hundred creates while
/// much waits in the pending lists, and one in a thousand of a flood is many.
const PARTS: u32 = 1024;
/// Longest time in which no search is let in: none at all would look as if searches were broken.
const DROUGHT_MAX: Duration = Duration::from_secs(1);

/// Whether the database is behind with upkeep that searches hold up.
pub type Behind = Box<dyn Fn() -> bool + Send + Sync>;

/// The share of searches that is let in, which follows the queue waits of the lanes that have priority.
pub(super) struct Priority {
    state: Mutex<State>,
    is_behind: Behind,
}

struct State {
    /// Parts of [`PARTS`] that are let in.
    share: u32,
    /// Parts that are owed to the next search; a whole lets it in.
    credit: u32,
    /// When a search was last let in.
    admitted: Instant,
    interval_began: Instant,
    /// The shortest wait of a batch's newest request in this interval, for each lane that had a batch.
    shortest: [Option<Duration>; super::timeline::LANES.len()],
    /// One of them has refused a request in this interval.
    refused: bool,
}

impl Priority {
    /// Lets in all, as long as no queue stands, and what `is_behind` asks about is not.
    pub(super) fn new(is_behind: Behind) -> Self {
        let now = Instant::now();
        let state = State {
            share: PARTS,
            credit: 0,
            admitted: now,
            interval_began: now,
            shortest: Default::default(),
            refused: false,
        };
        Self {
            state: Mutex::new(state),
            is_behind,
        }
    }

    /// A worker of a lane with priority has taken a full batch whose newest request waited so long, or, after no wait at
    /// all, one that is not full.
    pub(super) fn taken(&self, lane: usize, newest_waited: Duration, now: Instant) {
        let mut state = self.lock(now);
        let shortest = &mut state.shortest[lane];
        *shortest = Some(shortest.map_or(newest_waited, |known| known.min(newest_waited)));
    }

    /// A lane with priority has refused a request that would have waited too long, or has no room for it.
    pub(super) fn refused(&self, now: Instant) {
        let mut state = self.lock(now);
        state.refused = true;
    }

    /// Whether the next search is let in.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let mut state = self.lock(now);
        state.credit += state.share;
        let drought = now.saturating_duration_since(state.admitted);
        let admits = state.credit >= PARTS || drought >= DROUGHT_MAX;
        if admits {
            state.credit = state.credit.saturating_sub(PARTS);
            state.admitted = now;
        }
        admits
    }

    /// The state in the interval that `now` is in.
    fn lock(&self, now: Instant) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        let over = now.saturating_duration_since(state.interval_began);
        let intervals = over.as_micros() / INTERVAL.as_micros();
        if intervals > 0 {
            state.end_intervals(intervals, (self.is_behind)());
            state.interval_began = now;
        }
        state
    }
}

impl State {
    /// Adapts the share once so many intervals are over. Where none had a batch for several of them, the share grows for each.
    fn end_intervals(&mut self, mut intervals: u128, is_behind: bool) {
        let stands = |shortest: &Option<Duration>| shortest.is_some_and(|wait| wait > WAIT_TARGET);
        if is_behind || self.refused || self.shortest.iter().any(stands) {
            self.share /= 2;
            // In those after the first one nobody had a batch, was refused or searched.
            intervals -= 1;
        }
        while intervals > 0 && self.share < PARTS {
            self.share = (self.share + (self.share / 8).max(1)).min(PARTS);
            intervals -= 1;
        }
        self.shortest = Default::default();
        self.refused = false;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::time::advance;

    use super::*;

    const LONG: Duration = Duration::from_millis(21);

    /// Where no upkeep is overdue.
    fn of_queues() -> Priority {
        Priority::new(Box::new(|| false))
    }

    /// An interval in which lanes 0 and 1 have a batch each, whose newest requests waited so long.
    async fn interval(priority: &Priority, waits: [Duration; 2]) {
        for (lane, wait) in waits.into_iter().enumerate() {
            priority.taken(lane, wait, Instant::now());
        }
        advance(INTERVAL).await;
    }

    /// Of [`PARTS`] searches at once, those that are let in.
    fn admitted(priority: &Priority) -> u32 {
        let now = Instant::now();
        let admitted = (0..PARTS).filter(|_| priority.admits(now)).count();
        u32::try_from(admitted).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_share_of_searches_is_halved_while_a_queue_stands_and_grows_back() {
        let priority = of_queues();
        assert_eq!(admitted(&priority), 1024);
        for share in [512, 256, 128, 64, 32, 16, 8, 4, 2, 1, 0, 0] {
            interval(&priority, [LONG, Duration::ZERO]).await;
            assert_eq!(admitted(&priority), share);
        }
        for share in [1, 2, 3, 4, 5, 6, 7, 8, 9] {
            interval(&priority, [WAIT_TARGET, WAIT_TARGET]).await;
            assert_eq!(admitted(&priority), share);
        }
        advance(INTERVAL * 46).await;
        assert_eq!(admitted(&priority), 1024);
    }

    #[tokio::test(start_paused = true)]
    async fn a_search_each_second_is_let_in_whatever_the_share() {
        let priority = of_queues();
        for _ in 0..10 {
            interval(&priority, [LONG, LONG]).await;
        }
        let admits = || {
            priority.refused(Instant::now());
            priority.admits(Instant::now())
        };
        for _ in 0..3 {
            assert!(admits());
            assert!((0..20).all(|_| !admits()));
            advance(DROUGHT_MAX).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_leaves_no_queue_behind_is_no_overload() {
        let priority = of_queues();
        for _ in 0..3 {
            priority.taken(0, LONG, Instant::now());
            interval(&priority, [Duration::ZERO, WAIT_TARGET]).await;
        }
        assert_eq!(admitted(&priority), 1024);
    }

    #[tokio::test(start_paused = true)]
    async fn searches_make_room_for_upkeep_that_is_behind_though_no_queue_stands() {
        let behind = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&behind);
        let priority = Priority::new(Box::new(move || asked.load(Ordering::Relaxed)));
        for share in [512, 256] {
            interval(&priority, [Duration::ZERO, Duration::ZERO]).await;
            assert_eq!(admitted(&priority), share);
        }
        behind.store(false, Ordering::Relaxed);
        interval(&priority, [Duration::ZERO, Duration::ZERO]).await;
        assert_eq!(admitted(&priority), 288);
    }

    #[tokio::test(start_paused = true)]
    async fn the_quick_batches_of_one_lane_hide_no_queue_of_another() {
        let priority = of_queues();
        interval(&priority, [Duration::ZERO, LONG]).await;
        assert_eq!(admitted(&priority), 512);
    }

    #[tokio::test(start_paused = true)]
    async fn lanes_without_requests_need_no_room() {
        let priority = of_queues();
        for _ in 0..8 {
            interval(&priority, [LONG, LONG]).await;
        }
        assert_eq!(admitted(&priority), 4);
        advance(INTERVAL * 60).await;
        assert_eq!(admitted(&priority), 1024);
        // Nor does it matter that the last interval with a batch is judged by the search that ends it.
        for _ in 0..8 {
            interval(&priority, [LONG, LONG]).await;
        }
        advance(INTERVAL * 60).await;
        assert_eq!(admitted(&priority), 1024);
    }
}
