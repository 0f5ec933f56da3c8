//! Write times: from an answer to its last byte in the socket, which a client that takes it slowly makes long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use tokio::time::Instant;

/// An answer to a request.
#[derive(Debug)]
pub struct Answer {
    /// The response itself.
    pub response: Response<Full<Bytes>>,
    /// The class that its write time is counted in, and when the answer was there; none counts in no class.
    pub timed: Option<(usize, Instant)>,
}

/// Sums of write times, by class. Clones share them.
#[derive(Clone, Debug)]
pub struct WriteTimes(Arc<[AtomicU64]>);

/// The answer of one connection that is being written.
#[derive(Debug)]
pub(super) struct Writing {
    times: WriteTimes,
    born: Instant,
    /// Nanoseconds from `born` to the first answer that is not flushed; 0 when all are.
    since: AtomicU64,
    class: AtomicUsize,
}

impl From<Response<Full<Bytes>>> for Answer {
    fn from(response: Response<Full<Bytes>>) -> Self {
        Self {
            response,
            timed: None,
        }
    }
}

impl WriteTimes {
    /// Sums for so many classes.
    pub fn new(classes: usize) -> Self {
        Self((0..classes).map(|_| AtomicU64::new(0)).collect())
    }

    /// The time that the answers of a class took so far.
    pub fn of(&self, class: usize) -> Duration {
        let sum = self.0.get(class).map(|sum| sum.load(Ordering::Relaxed));
        Duration::from_nanos(sum.unwrap_or(0))
    }
}

impl Writing {
    pub(super) fn new(times: WriteTimes) -> Self {
        Self {
            times,
            born: Instant::now(),
            since: AtomicU64::new(0),
            class: AtomicUsize::new(0),
        }
    }

    /// An answer of this class is there to be written. While another is, both count in its class.
    pub(super) fn begin(&self, class: usize, at: Instant) {
        if self.since.load(Ordering::Relaxed) == 0 {
            self.class.store(class, Ordering::Relaxed);
            self.since.store(self.nanos(at).max(1), Ordering::Relaxed);
        }
    }

    /// All that was there to be written is in the socket.
    pub(super) fn end(&self) {
        // Flushes are many, and most have nothing to flush.
        if self.since.load(Ordering::Relaxed) == 0 {
            return;
        }
        let since = self.since.swap(0, Ordering::Relaxed);
        let took = self.nanos(Instant::now()).saturating_sub(since);
        if let Some(sum) = self.times.0.get(self.class.load(Ordering::Relaxed)) {
            sum.fetch_add(took, Ordering::Relaxed);
        }
    }

    fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.born).as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A connection that is cut has no last flush: the wait for it ends with the connection.
impl Drop for Writing {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_never_flushed_counts_until_its_connection_ends() {
        let times = WriteTimes::new(2);
        let writing = Writing::new(times.clone());
        tokio::time::advance(Duration::from_secs(1)).await;
        writing.begin(1, Instant::now());
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(times.of(1), Duration::ZERO);
        drop(writing);
        assert_eq!(
            (times.of(0), times.of(1)),
            (Duration::ZERO, Duration::from_secs(3))
        );
        // Nothing is written: nothing counts.
        let idle = Writing::new(times.clone());
        tokio::time::advance(Duration::from_secs(3)).await;
        drop(idle);
        assert_eq!(times.of(1), Duration::from_secs(3));
    }
}
