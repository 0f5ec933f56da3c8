//! A bounded queue for natural batching: a taker takes many items in one step.
//!
//! A channel hands out items one by one, in order; natural batching wants all that wait, or those that fit together.
//! The lock is held for moves and comparisons of a bounded number of items, however many wait, and never across a
//! wait, so an async thread may take it.
//!
//! While the queue is short, only some of the takers take, since two small batches cost more than one large: the fixed
//! cost of a batch is shared by all that is in it. The others sleep until the queue is long, or until an item
//! has lingered without a taker.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Queue length that is worth one more taker beyond the base. A batch has a fixed cost of about 20 rows; at 32 rows
/// that is under half.
pub(super) const EXTRA_WORKER_AT: usize = 32;

/// Longest linger: how long an item may wait for a busy taker while a free one is asleep; twice as long at the worst.
/// A batch that takes longer than this is on a slow connection, or large.
pub(super) const LINGER_MAX: Duration = Duration::from_millis(2);

pub(super) struct Queue<T> {
    inner: Mutex<Inner<T>>,
    available: Condvar,
    capacity: usize,
    takers: Takers,
    /// The length, readable without the lock.
    len: AtomicUsize,
}

/// The number of takers of a queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Takers {
    pub(super) all: usize,
    /// Takers that may be busy at once while the queue is short.
    pub(super) base: usize,
}

/// Why an item was not taken in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PushError {
    Full,
    Closed,
}

struct Inner<T> {
    items: VecDeque<T>,
    closed: bool,
    /// Takers that hold nothing.
    free: usize,
    /// Free takers asleep that have not been woken yet; a wake-up is a system call, so none is made when
    /// no taker sleeps, and none twice for one taker.
    asleep: usize,
    /// Wake-ups that no sleeper has heard yet.
    wakes: usize,
    /// One of those asleep looks again after [`LINGER_MAX`].
    watched: bool,
    /// Batches taken so far.
    taken: u64,
}

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize, takers: Takers) -> Self {
        let inner = Inner {
            // All of it at once, as addresses alone: growing would copy the items, under the lock.
            items: VecDeque::with_capacity(capacity),
            closed: false,
            free: 0,
            asleep: 0,
            wakes: 0,
            watched: false,
            taken: 0,
        };
        Self {
            inner: Mutex::new(inner),
            available: Condvar::new(),
            capacity,
            takers,
            len: AtomicUsize::new(0),
        }
    }

    /// Items that wait now.
    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    pub(super) fn push(&self, item: T) -> Result<(), PushError> {
        let mut inner = self.lock();
        if inner.closed {
            return Err(PushError::Closed);
        }
        if inner.items.len() >= self.capacity {
            return Err(PushError::Full);
        }
        inner.items.push_back(item);
        self.len.store(inner.items.len(), Ordering::Relaxed);
        let wake = self.wake_if_needed(&mut inner);
        drop(inner);
        if wake {
            self.available.notify_one();
        }
        Ok(())
    }

    /// Waits for an item, then gives the batch that `pick` makes of it and of the items behind it. `None` once
    /// the queue is closed and empty.
    pub(super) fn take<B>(&self, pick: impl FnOnce(T, &mut VecDeque<T>) -> B) -> Option<B> {
        let mut inner = self.lock();
        inner.free += 1;
        let mut lingered = false;
        let first = loop {
            let may_take = lingered || inner.closed || self.is_wanted(&inner, 0);
            if may_take && let Some(first) = inner.items.pop_front() {
                break first;
            }
            if inner.closed {
                return None;
            }
            (inner, lingered) = self.sleep(inner);
        };
        inner.free -= 1;
        inner.taken += 1;
        let batch = pick(first, &mut inner.items);
        self.len.store(inner.items.len(), Ordering::Relaxed);
        // The wake-up for the items that are left may have been heard by this very taker.
        if self.wake_if_needed(&mut inner) {
            self.available.notify_one();
        }
        Some(batch)
    }

    /// Whether one more taker should take items, when `coming` others are about to.
    fn is_wanted(&self, inner: &Inner<T>, coming: usize) -> bool {
        let busy = self.takers.all - inner.free.min(self.takers.all);
        busy + coming < self.takers.base || inner.items.len() >= EXTRA_WORKER_AT * (coming + 1)
    }

    /// Whether a sleeper must be notified: to take items, or to watch over them. Counts the wake-up.
    fn wake_if_needed(&self, inner: &mut Inner<T>) -> bool {
        let unattended = !inner.watched && inner.wakes == 0;
        let wake = inner.asleep > 0
            && !inner.items.is_empty()
            && (unattended || self.is_wanted(inner, inner.wakes));
        if wake {
            inner.asleep -= 1;
            inner.wakes += 1;
        }
        wake
    }

    /// Sleeps until woken; with items in sight that no taker watches, [`LINGER_MAX`] at the longest. Says
    /// whether that passed without any taker coming by.
    fn sleep<'a>(&self, mut inner: MutexGuard<'a, Inner<T>>) -> (MutexGuard<'a, Inner<T>>, bool) {
        let watch = !inner.items.is_empty() && !inner.watched;
        let taken = inner.taken;
        inner.asleep += 1;
        inner.watched |= watch;
        let mut woken = false;
        while !woken && !inner.closed {
            if watch {
                let (guard, timeout) = self
                    .available
                    .wait_timeout(inner, LINGER_MAX)
                    .unwrap_or_else(PoisonError::into_inner);
                inner = guard;
                if timeout.timed_out() && inner.wakes == 0 {
                    break;
                }
            } else {
                inner = self
                    .available
                    .wait(inner)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            woken = inner.wakes > 0;
        }
        if woken {
            inner.wakes -= 1;
        } else {
            inner.asleep -= 1;
        }
        if watch {
            inner.watched = false;
        }
        let lingered = watch && !woken && inner.taken == taken;
        (inner, lingered)
    }

    /// Takes nothing more in; takers still get the items that wait.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.available.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
