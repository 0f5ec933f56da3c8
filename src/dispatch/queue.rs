//! A bounded queue whose takers take many at once.
//!
//! A channel hands out items one by one, in order; natural batching wants everything that waits in
//! one step, or everything that equals the first. The lock is held for moves and comparisons of a bounded
//! number of items, however many wait, and never across a wait, so an async thread may take it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(super) struct Queue<T> {
    inner: Mutex<Inner<T>>,
    available: Condvar,
    capacity: usize,
    takers: Takers,
    /// The length, readable without the lock.
    len: AtomicUsize,
}

/// Who takes from a queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Takers {
    /// How many there are.
    pub(super) all: usize,
    /// How many may be busy at once while fewer than [`Takers::crowd`] items wait: whatever a batch costs
    /// by itself is shared by all that is in it, so two small ones cost more than one large.
    pub(super) few: usize,
    /// So many items are worth a batch of their own.
    pub(super) crowd: usize,
}

/// What was taken at once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken<T> {
    /// At least one.
    pub(super) items: Vec<T>,
    /// How many kinds of items they are.
    pub(super) kinds: usize,
}

/// Longest time for which a free taker leaves items to busy ones; twice as long at the worst. A batch that
/// takes longer than this is on a slow connection, or large.
pub(super) const PATIENCE: Duration = Duration::from_millis(2);

/// Most items of other kinds that are looked at, and left, for one batch: four of the largest by default.
const PASSED_OVER_MAX: usize = 512;

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
    /// Free takers asleep that nobody has called yet; a wake-up is a system call, so none is made when
    /// nobody sleeps, and none twice for one taker.
    asleep: usize,
    /// Calls that no sleeper has heard yet.
    calls: usize,
    /// One of those asleep looks again after [`PATIENCE`].
    watched: bool,
    /// Batches taken so far.
    taken: u64,
}

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize, takers: Takers) -> Self {
        let inner = Inner {
            // All of it at once, as addresses alone: growing would copy what waits, under the lock.
            items: VecDeque::with_capacity(capacity),
            closed: false,
            free: 0,
            asleep: 0,
            calls: 0,
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
        let call = self.call(&mut inner);
        drop(inner);
        if call {
            self.available.notify_one();
        }
        Ok(())
    }

    /// Waits for an item, then takes it with up to `max - 1` others, of at most `kinds_max` kinds: two items
    /// that may go `together` are of one kind. `None` once the queue is closed and empty.
    pub(super) fn take(
        &self,
        max: usize,
        kinds_max: usize,
        together: impl Fn(&T, &T) -> bool,
    ) -> Option<Taken<T>> {
        let mut inner = self.lock();
        inner.free += 1;
        let mut waited_in_vain = false;
        let first = loop {
            if waited_in_vain || inner.closed || self.is_wanted(&inner, 0) {
                if let Some(first) = inner.items.pop_front() {
                    break first;
                }
                if inner.closed {
                    return None;
                }
            }
            (inner, waited_in_vain) = self.sleep(inner);
        };
        inner.free -= 1;
        inner.taken += 1;
        let mut items = vec![first];
        // The first item of each kind.
        let mut kinds = vec![0];
        let mut left = Vec::new();
        while items.len() < max && left.len() < PASSED_OVER_MAX {
            let Some(item) = inner.items.pop_front() else {
                break;
            };
            if !kinds.iter().any(|first| together(&items[*first], &item)) {
                if kinds.len() >= kinds_max {
                    left.push(item);
                    continue;
                }
                kinds.push(items.len());
            }
            items.push(item);
        }
        for item in left.into_iter().rev() {
            inner.items.push_front(item);
        }
        self.len.store(inner.items.len(), Ordering::Relaxed);
        // The call for what is left may have been given to this very taker.
        if self.call(&mut inner) {
            self.available.notify_one();
        }
        Some(Taken {
            items,
            kinds: kinds.len(),
        })
    }

    /// Whether one more taker should take what waits, when `coming` others are about to.
    fn is_wanted(&self, inner: &Inner<T>, coming: usize) -> bool {
        let busy = self.takers.all - inner.free.min(self.takers.all);
        busy + coming < self.takers.few || inner.items.len() >= self.takers.crowd * (coming + 1)
    }

    /// Calls a sleeper if what waits needs one: to take it, or to watch over it. Says whether it did;
    /// the sleeper hears it by a notification.
    fn call(&self, inner: &mut Inner<T>) -> bool {
        let unattended = !inner.watched && inner.calls == 0;
        let call = inner.asleep > 0
            && !inner.items.is_empty()
            && (unattended || self.is_wanted(inner, inner.calls));
        if call {
            inner.asleep -= 1;
            inner.calls += 1;
        }
        call
    }

    /// Sleeps until called; with items in sight that nobody watches, [`PATIENCE`] at the longest. Says
    /// whether that passed without any taker coming by.
    fn sleep<'a>(&self, mut inner: MutexGuard<'a, Inner<T>>) -> (MutexGuard<'a, Inner<T>>, bool) {
        let watch = !inner.items.is_empty() && !inner.watched;
        let taken = inner.taken;
        inner.asleep += 1;
        inner.watched |= watch;
        let mut called = false;
        while !called && !inner.closed {
            if watch {
                let (woken, timeout) = self
                    .available
                    .wait_timeout(inner, PATIENCE)
                    .unwrap_or_else(PoisonError::into_inner);
                inner = woken;
                if timeout.timed_out() && inner.calls == 0 {
                    break;
                }
            } else {
                inner = self
                    .available
                    .wait(inner)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            called = inner.calls > 0;
        }
        if called {
            inner.calls -= 1;
        } else {
            inner.asleep -= 1;
        }
        if watch {
            inner.watched = false;
        }
        let in_vain = watch && !called && inner.taken == taken;
        (inner, in_vain)
    }

    /// Takes nothing more in; takers still get what waits.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.available.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
