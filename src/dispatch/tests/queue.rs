//! The queue between threads; its clock is the condition variable's.

use std::collections::VecDeque;
use std::iter;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use super::rig::LATER;
use crate::dispatch::queue::{LINGER_MAX, PushError, Queue, Takers};

fn all(first: u32, waiting: &mut VecDeque<u32>) -> Vec<u32> {
    iter::once(first).chain(waiting.drain(..)).collect()
}

fn two(first: u32, waiting: &mut VecDeque<u32>) -> Vec<u32> {
    iter::once(first).chain(waiting.pop_front()).collect()
}

#[test]
fn a_queue_gives_what_waits_and_then_ends() {
    let queue = Queue::new(3, Takers { all: 1, base: 1 });
    for n in [1, 2, 3] {
        assert_eq!(queue.push(n), Ok(()));
    }
    assert_eq!(queue.push(4), Err(PushError::Full));
    assert_eq!(queue.take(two), Some(vec![1, 2]));
    assert_eq!(queue.len(), 1);
    queue.close();
    assert_eq!(queue.push(5), Err(PushError::Closed));
    assert_eq!(queue.take(two), Some(vec![3]));
    assert_eq!(queue.take(two), None);
}

#[test]
fn a_free_taker_leaves_few_items_to_a_busy_one_but_not_for_long() {
    let queue = Arc::new(Queue::new(100, Takers { all: 2, base: 1 }));
    let (taken, batches) = sync_channel(100);
    let (open, gate) = sync_channel::<()>(100);
    let gate = Arc::new(Mutex::new(gate));
    let threads = [(); 2].map(|()| {
        let (queue, taken, gate) = (Arc::clone(&queue), taken.clone(), Arc::clone(&gate));
        thread::spawn(move || {
            while let Some(batch) = queue.take(all) {
                let hangs = batch.contains(&0);
                taken.send((Instant::now(), batch)).unwrap();
                if hangs {
                    let _ = gate.lock().unwrap().recv();
                }
            }
        })
    });
    let next = || batches.recv_timeout(LATER).unwrap();

    queue.push(0).unwrap();
    assert_eq!(next().1, [0]);
    // The busy taker never comes back for these; the free one waits for it, and then takes all.
    let pushed = Instant::now();
    for n in [1, 2, 3] {
        queue.push(n).unwrap();
    }
    let (at, mut found) = next();
    assert!(at - pushed >= LINGER_MAX);
    // Nothing is left behind, whether the queue is short or long.
    while found.len() < 3 {
        found.extend(next().1);
    }
    for n in 4..50 {
        queue.push(n).unwrap();
    }
    while found.len() < 49 {
        found.extend(next().1);
    }
    assert_eq!(found, (1..50).collect::<Vec<_>>());

    drop(open);
    queue.close();
    for thread in threads {
        thread.join().unwrap();
    }
}
