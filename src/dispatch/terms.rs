//! Batch composition for searches: several different terms in one statement.
//!
//! Any two creates or finds share a statement, so their lanes have none of this. Two searches share one at a price:
//! the second term costs as much as in a statement of its own, except for the round trip, and its request waits for
//! both. So a batch has few different terms, and fewer while they take long; equal terms are one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::job::Job;

/// Duration above which batches get fewer terms: those whose own part is short wait for the others.
const MIXED_BATCH_TARGET: Duration = Duration::from_millis(20);

/// Most requests for other terms that are looked at, and left, for one batch: four of the largest by default.
const PASSED_OVER_MAX: usize = 512;

/// How many different terms the batches of a lane have.
pub(super) struct Terms<Q> {
    same_term: fn(&Q, &Q) -> bool,
    /// Most terms in one batch.
    max: usize,
    /// Most terms in the next one.
    now: AtomicUsize,
}

impl<Q> Terms<Q> {
    /// Batches of up to `max` terms, after some of fewer that were quick.
    pub(super) fn new(max: usize) -> Self
    where
        Q: PartialEq,
    {
        Self {
            same_term: Q::eq,
            max,
            now: AtomicUsize::new(1),
        }
    }

    /// Takes the first that waits, and up to `batch_max - 1` others that fit; also says of how many terms they are.
    /// A bounded part of a long queue is looked at, since this runs under the queue's lock.
    pub(super) fn pick<T>(
        &self,
        waiting: &mut VecDeque<T>,
        batch_max: usize,
        request: impl Fn(&T) -> &Q,
    ) -> (Vec<T>, usize) {
        let terms_max = self.now.load(Ordering::Relaxed);
        let mut picked: Vec<T> = Vec::new();
        // The first item of each term.
        let mut terms: Vec<usize> = Vec::new();
        let mut left = Vec::new();
        while picked.len() < batch_max && left.len() < PASSED_OVER_MAX {
            let Some(item) = waiting.pop_front() else {
                break;
            };
            let same = |first: &usize| (self.same_term)(request(&picked[*first]), request(&item));
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

    /// The jobs of a batch, term by term.
    pub(super) fn group<R>(&self, jobs: Vec<Job<Q, R>>) -> Vec<Vec<Job<Q, R>>> {
        let mut groups: Vec<Vec<Job<Q, R>>> = Vec::new();
        for job in jobs {
            let same = |group: &&mut Vec<Job<Q, R>>| {
                let first = group.first();
                first.is_some_and(|first| (self.same_term)(&first.request, &job.request))
            };
            match groups.iter_mut().find(same) {
                Some(group) => group.push(job),
                None => groups.push(vec![job]),
            }
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(now: usize) -> Terms<u32> {
        let terms = Terms::new(8);
        terms.now.store(now, Ordering::Relaxed);
        terms
    }

    #[test]
    fn a_batch_has_no_more_terms_than_it_may() {
        let mut waiting = VecDeque::from([1, 2, 3, 1, 4, 2, 3]);
        let picked = terms(2).pick(&mut waiting, 10, |n| n);
        assert_eq!(picked, (vec![1, 2, 1, 2], 2));
        // Items that were passed over keep their places.
        let picked = terms(3).pick(&mut waiting, 10, |n| n);
        assert_eq!(picked, (vec![3, 4, 3], 2));
        assert_eq!(terms(3).pick(&mut waiting, 10, |n| n), (vec![], 0));
    }

    /// The lock is also the front end's: what a worker does under it must not grow with the queue.
    #[test]
    fn a_bounded_part_of_a_long_queue_is_looked_at() {
        const LONG_QUEUE: usize = 100_000;
        const LOOKS_MAX: usize = 8 * 1024;
        static LOOKS: AtomicUsize = AtomicUsize::new(0);
        let terms = Terms {
            same_term: |a, b| {
                LOOKS.fetch_add(1, Ordering::Relaxed);
                a == b
            },
            ..terms(8)
        };
        // The two of a kind are far apart: the second 0 comes last.
        let mut waiting: VecDeque<u32> = (0..99_999).chain([0]).collect();
        assert_eq!(waiting.len(), LONG_QUEUE);
        for batch in [0..8, 8..16] {
            LOOKS.store(0, Ordering::Relaxed);
            let picked = terms.pick(&mut waiting, 128, |n| n);
            assert_eq!(picked, (batch.collect(), 8));
            let looks = LOOKS.load(Ordering::Relaxed);
            assert!(looks <= LOOKS_MAX, "{looks}");
        }
        assert_eq!(waiting.len(), LONG_QUEUE - 16);
    }

    #[test]
    fn a_batch_may_have_more_terms_while_they_are_quick() {
        let terms = Terms::<u32>::new(4);
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
