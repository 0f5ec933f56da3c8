//! A bounded queue whose takers take many at once.
//!
//! A channel hands out items one by one, in order; natural batching wants everything that waits in
//! one step, or everything that equals the first. The lock is held for moves and comparisons within a
//! bounded queue and never across a wait, so an async thread may take it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

pub(super) struct Queue<T> {
    inner: Mutex<Inner<T>>,
    available: Condvar,
    capacity: usize,
    /// The length, readable without the lock.
    len: AtomicUsize,
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
    /// Takers asleep; a wake-up is a system call, so none is made when nobody sleeps.
    asleep: usize,
}

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let inner = Inner {
            items: VecDeque::new(),
            closed: false,
            asleep: 0,
        };
        Self {
            inner: Mutex::new(inner),
            available: Condvar::new(),
            capacity,
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
        if inner.asleep > 0 {
            drop(inner);
            self.available.notify_one();
        }
        Ok(())
    }

    /// Waits for an item, then takes it with up to `max - 1` others that may go `together` with it.
    /// `None` once the queue is closed and empty.
    pub(super) fn take(&self, max: usize, together: impl Fn(&T, &T) -> bool) -> Option<Vec<T>> {
        let mut inner = self.lock();
        let first = loop {
            if let Some(first) = inner.items.pop_front() {
                break first;
            }
            if inner.closed {
                return None;
            }
            inner.asleep += 1;
            inner = self
                .available
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
            inner.asleep -= 1;
        };
        let mut taken = vec![first];
        let mut left = VecDeque::new();
        while taken.len() < max {
            match inner.items.pop_front() {
                Some(item) if together(&taken[0], &item) => taken.push(item),
                Some(item) => left.push_back(item),
                None => break,
            }
        }
        left.append(&mut inner.items);
        inner.items = left;
        self.len.store(inner.items.len(), Ordering::Relaxed);
        // The wake-up for what is left may have been given to this very taker.
        if !inner.items.is_empty() && inner.asleep > 0 {
            self.available.notify_one();
        }
        Some(taken)
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
