//! A lane: a bounded queue, from which each of a few tasks takes all that waits as one batch.

use std::sync::Arc;

use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{Mutex, oneshot};

use crate::failure::Failure;

/// Bounds the requests that wait, as the server's `QUEUE_MAX` does by default.
const QUEUE_MAX: usize = 2048;

/// A request, and where its reply goes. Without a reply its batch has failed.
pub(crate) struct Job<Q, A> {
    pub(crate) request: Q,
    pub(crate) reply: oneshot::Sender<A>,
}

/// The end of a lane at which requests come in.
pub(crate) struct Lane<Q, A> {
    queue: Sender<Job<Q, A>>,
}

/// The other end, shared by the tasks of the lane.
pub(crate) struct Batches<Q, A> {
    jobs: Arc<Mutex<Receiver<Job<Q, A>>>>,
    batch_max: usize,
}

impl<Q, A> Clone for Batches<Q, A> {
    fn clone(&self) -> Self {
        Batches {
            jobs: Arc::clone(&self.jobs),
            batch_max: self.batch_max,
        }
    }
}

/// A lane whose batches have up to `batch_max` requests.
pub(crate) fn lane<Q, A>(batch_max: usize) -> (Lane<Q, A>, Batches<Q, A>) {
    let (queue, jobs) = mpsc::channel(QUEUE_MAX);
    let jobs = Arc::new(Mutex::new(jobs));
    (Lane { queue }, Batches { jobs, batch_max })
}

impl<Q, A> Lane<Q, A> {
    /// Waits for the reply to a request.
    pub(crate) async fn ask(&self, request: Q) -> Result<A, Failure> {
        let (reply, answer) = oneshot::channel();
        let job = Job { request, reply };
        self.queue.try_send(job).map_err(|_full| Failure::Full)?;
        answer.await.map_err(|_dropped| Failure::Batch)
    }
}

impl<Q, A> Batches<Q, A> {
    /// Waits for a request, and takes all others that wait with it. Nothing once the lane is gone.
    pub(crate) async fn next(&self) -> Vec<Job<Q, A>> {
        let mut batch = Vec::new();
        // The tasks wait in turn, so each batch wakes one of them.
        let mut jobs = self.jobs.lock().await;
        jobs.recv_many(&mut batch, self.batch_max).await;
        batch
    }
}
