//! What the server says of itself during a run: the queues, pools and refusals of its `/metrics`, second by second.

mod exposition;
mod history;
mod names;

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::ensure;

pub use names::MetricName;

use self::exposition::parse;
use self::history::History;
use crate::client;
use crate::result::ServerMetric;
use crate::target::Target;

/// Longest wait for the reading that counters are counted from. A server without metrics must not hold up a run.
const FIRST_READING_TIMEOUT: Duration = Duration::from_secs(1);

/// Longest wait for the reading of the last second.
const LAST_READING_TIMEOUT: Duration = Duration::from_secs(2);

/// A reader of `/metrics`, which reads as each second of the run ends. A server without it is no error.
pub struct ServerMetrics {
    url: String,
    history: Arc<Mutex<History>>,
    seconds: SyncSender<usize>,
    ended: Receiver<()>,
}

impl ServerMetrics {
    /// Reads once from this listener, before the run: counters are counted from there.
    pub fn watch(target: Target) -> ServerMetrics {
        let history: Arc<Mutex<History>> = Arc::default();
        let (url, kept) = (target.url.clone(), Arc::clone(&history));
        let (seconds, to_read) = sync_channel(1);
        let (first, first_reading) = sync_channel(1);
        let (last, ended) = sync_channel(1);
        std::thread::spawn(move || {
            let mut reached = None;
            let mut read = |second| {
                let reading = read(&target, &mut reached);
                lock(&kept).add(second, reading);
            };
            read(None);
            // Receivers that are gone no longer wait.
            first.send(()).ok();
            to_read.into_iter().for_each(|second| read(Some(second)));
            last.send(()).ok();
        });
        first_reading.recv_timeout(FIRST_READING_TIMEOUT).ok();
        ServerMetrics {
            url,
            history,
            seconds,
            ended,
        }
    }

    /// Has the server read as this second of the run has ended. A second that ends while an earlier reading is still
    /// waited for has none.
    pub fn second_ended(&self, second: usize) {
        self.seconds.try_send(second).ok();
    }

    /// The newest values of its gauges.
    pub fn newest(&self) -> BTreeMap<String, f64> {
        lock(&self.history).newest().clone()
    }

    /// Every metric over so many seconds, and why there is none where none ever came.
    pub fn finish(self, seconds: usize) -> (Vec<ServerMetric>, Option<String>) {
        drop(self.seconds);
        self.ended.recv_timeout(LAST_READING_TIMEOUT).ok();
        let history = std::mem::take(&mut *lock(&self.history));
        let why = history.silence();
        let silence = why.map(|why| format!("no figures came from --admin {}: {why}", self.url));
        (history.into_metrics(seconds), silence)
    }
}

/// `reached` is the target at the address that answered first.
fn read(target: &Target, reached: &mut Option<Target>) -> anyhow::Result<exposition::Reading> {
    let target = match reached {
        Some(target) => target,
        None => reached.insert(target.reach()?),
    };
    let answer = client::get(target, "/metrics")?;
    ensure!(
        answer.status == 200,
        "GET /metrics answered {}",
        answer.status
    );
    Ok(parse(&String::from_utf8_lossy(&answer.body)))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
