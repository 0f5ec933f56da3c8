//! Batch composition for searches: several different terms in one statement.
//!
//! Any two creates or finds share a statement, so their lanes have none of this. Two searches share one at a price:
//! the second term costs as much as in a statement of its own, except for the round trip, and its request waits for
//! both. So a batch has few different terms, and fewer while they take long; equal terms are one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::job::Job;

/// Duration above which batches get fewer terms: a search whose own part is short waits for the others.
const MIXED_BATCH_TARGET: Duration = Duration::from_millis(20);

/// Most requests for other terms that are looked at, and left, for one batch: four of the largest by default.
const PASSED_OVER_MAX: usize = 512;

/// The limit of different terms in a batch, which follows how long batches take.
pub(super) struct Terms {
    /// Most terms in one batch.
    max: usize,
    /// Most terms in the next one.
    now: AtomicUsize,
}

impl Terms {
    /// Batches of up to `max` terms, after some of fewer that were quick.
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            now: AtomicUsize::new(1),
        }
    }

    /// Takes the first item, and up to `batch_max - 1` of the others that fit; also gives the number of their terms.
    /// A bounded part of a long queue is looked at, since this runs under the queue's lock.
    pub(super) fn pick<T, Q: PartialEq>(
        &self,
        first: T,
        waiting: &mut VecDeque<T>,
        batch_max: usize,
        request: impl Fn(&T) -> &Q,
    ) -> (Vec<T>, usize) {
        let terms_max = self.now.load(Ordering::Relaxed);
        let mut picked = vec![first];
        // The place of the first item of each term.
        let mut terms: Vec<usize> = vec![0];
        let mut left = Vec::new();
        while picked.len() < batch_max && left.len() < PASSED_OVER_MAX {
            let Some(item) = waiting.pop_front() else {
                break;
            };
            let same = |place: &usize| request(&picked[*place]) == request(&item);
            if !terms.iter().any(same) {
                if terms.len() >= terms_max {
                    left.push(item);
                    continue;
                }
                terms.push(picked.len());
            }
            picked.push(item);
        }
        for item in left.into_iter().rev() {
            waiting.push_front(item);
        }
        (picked, terms.len())
    }

    /// Learns from a batch of so many terms.
    pub(super) fn learn(&self, took: Duration, terms: usize) {
        let now = self.now.load(Ordering::Relaxed);
        if took > MIXED_BATCH_TARGET {
            // A term that runs out of its time fails the batch, so the next one has none beside it.
            let far_too_long = took > 10 * MIXED_BATCH_TARGET;
            let fewer = if far_too_long { 1 } else { terms / 2 };
            self.now.store(fewer.max(1), Ordering::Relaxed);
        } else if took < MIXED_BATCH_TARGET / 2 && terms >= now && now < self.max {
            self.now.store(now + 1, Ordering::Relaxed);
        }
    }
}

/// The jobs of a batch, term by term.
pub(super) fn by_term<Q: PartialEq, R>(jobs: Vec<Job<Q, R>>) -> Vec<Vec<Job<Q, R>>> {
    let mut groups: Vec<Vec<Job<Q, R>>> = Vec::new();
    for job in jobs {
        let same = |group: &&mut Vec<Job<Q, R>>| {
            let first = group.first();
            first.is_some_and(|first| first.request == job.request)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(job),
            None => groups.push(vec![job]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(now: usize) -> Terms {
        let terms = Terms::new(8);
        terms.now.store(now, Ordering::Relaxed);
        terms
    }

    #[test]
    fn a_batch_has_no_more_terms_than_it_may() {
        let mut waiting = VecDeque::from([2, 3, 1, 4, 2, 3]);
        let picked = terms(2).pick(1, &mut waiting, 10, |n| n);
        assert_eq!(picked, (vec![1, 2, 1, 2], 2));
        // Items that were passed over keep their places.
        assert_eq!(waiting, [3, 4, 3]);
        let first = waiting.pop_front().unwrap();
        let picked = terms(3).pick(first, &mut waiting, 10, |n| n);
        assert_eq!(picked, (vec![3, 4, 3], 2));
        assert_eq!(waiting, [0; 0]);
    }

    #[test]
    fn a_batch_has_no_more_requests_than_it_may() {
        let mut waiting = VecDeque::from([1, 1]);
        let picked = terms(8).pick(1, &mut waiting, 2, |n| n);
        assert_eq!(picked, (vec![1, 1], 1));
        assert_eq!(waiting, [1]);
    }

    /// The lock is also the front end's: a worker's time under it must not grow with the queue.
    #[test]
    fn a_bounded_part_of_a_long_queue_is_looked_at() {
        const LONG_QUEUE: usize = 100_000;
        const LOOKS_MAX: usize = 8 * 1024;
        static LOOKS: AtomicUsize = AtomicUsize::new(0);

        #[derive(Debug)]
        struct Counted(u32);
        impl PartialEq for Counted {
            fn eq(&self, other: &Self) -> bool {
                LOOKS.fetch_add(1, Ordering::Relaxed);
                self.0 == other.0
            }
        }

        // The two of a kind are far apart: the second 0 comes last.
        let mut waiting: VecDeque<Counted> = (0..99_999).chain([0]).map(Counted).collect();
        assert_eq!(waiting.len(), LONG_QUEUE);
        for batch in [0..8, 8..16] {
            LOOKS.store(0, Ordering::Relaxed);
            let first = waiting.pop_front().unwrap();
            let (picked, number) = terms(8).pick(first, &mut waiting, 128, |n| n);
            let looks = LOOKS.load(Ordering::Relaxed);
            assert!(looks <= LOOKS_MAX, "{looks}");
            let picked: Vec<u32> = picked.iter().map(|n| n.0).collect();
            assert_eq!((picked, number), (batch.collect(), 8));
        }
        assert_eq!(waiting.len(), LONG_QUEUE - 16);
    }

    #[test]
    fn a_batch_may_have_more_terms_while_they_are_quick() {
        let terms = Terms::new(4);
        let now = || terms.now.load(Ordering::Relaxed);
        let quick = Duration::from_millis(1);
        assert_eq!(now(), 1);
        for n in [2, 3, 4, 4] {
            terms.learn(quick, now());
            assert_eq!(now(), n);
        }
        terms.learn(Duration::from_millis(21), 4);
        assert_eq!(now(), 2);
        // One that was not full says nothing about a larger one.
        terms.learn(quick, 1);
        assert_eq!(now(), 2);
        terms.learn(Duration::from_secs(2), 1);
        assert_eq!(now(), 1);
    }
}
