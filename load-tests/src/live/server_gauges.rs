//! Gauges of the server's queues and pools, from its Prometheus text.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::ensure;

use crate::client;
use crate::target::Target;

/// Gauges whose names hold one of these say how full the server is.
const WORDS: [&str; 8] = [
    "queue",
    "pool",
    "wait",
    "in_flight",
    "inflight",
    "connection",
    "breaker",
    "workers",
];

/// Reads `/metrics` once a second until dropped. A server without it is no error.
pub struct ServerGauges {
    url: String,
    shared: Arc<Shared>,
    ended: Receiver<()>,
}

#[derive(Default)]
struct Shared {
    newest: Mutex<BTreeMap<String, f64>>,
    greatest: Mutex<BTreeMap<String, f64>>,
    /// Why the newest reading failed.
    failure: Mutex<Option<String>>,
    stop: AtomicBool,
}

impl ServerGauges {
    /// Starts reading from this listener.
    pub fn watch(target: Target) -> ServerGauges {
        let shared: Arc<Shared> = Arc::default();
        let (sender, ended) = sync_channel(1);
        let (url, reading) = (target.url.clone(), Arc::clone(&shared));
        std::thread::spawn(move || {
            let mut reached = None;
            while !reading.stop.load(Ordering::Relaxed) {
                let failed = reading.read(&target, &mut reached).err();
                *lock(&reading.failure) = failed.map(|error| format!("{error:#}"));
                std::thread::park_timeout(Duration::from_secs(1));
            }
            // A receiver that is gone no longer waits for this end.
            sender.send(()).ok();
        });
        ServerGauges { url, shared, ended }
    }

    /// Why there is no gauge, when none ever came.
    pub fn silence(&self) -> Option<String> {
        let failure = lock(&self.shared.failure).clone();
        let why = failure.unwrap_or("its /metrics hold none of queues and pools".to_owned());
        lock(&self.shared.greatest)
            .is_empty()
            .then(|| format!("no gauges came from --admin {}: {why}", self.url))
    }

    /// The newest values.
    pub fn newest(&self) -> BTreeMap<String, f64> {
        lock(&self.shared.newest).clone()
    }

    /// The greatest value that each gauge had.
    pub fn greatest(&self) -> BTreeMap<String, f64> {
        lock(&self.shared.greatest).clone()
    }
}

impl Drop for ServerGauges {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.ended.recv_timeout(Duration::from_secs(2)).ok();
    }
}

impl Shared {
    /// `reached` is the target at the address that answered first.
    fn read(&self, target: &Target, reached: &mut Option<Target>) -> anyhow::Result<()> {
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
        let gauges = parse(&String::from_utf8_lossy(&answer.body));
        let mut greatest = lock(&self.greatest);
        for (name, value) in &gauges {
            let most = greatest.entry(name.clone()).or_insert(*value);
            *most = most.max(*value);
        }
        *lock(&self.newest) = gauges;
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The gauges of the text that say how full the server is.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let mut gauge = "";
    let mut gauges = BTreeMap::new();
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            gauge = declared.strip_suffix(" gauge").unwrap_or("");
            continue;
        }
        let Some((name, value)) = line.rsplit_once(' ') else {
            continue;
        };
        let bare = name.split('{').next().unwrap_or(name);
        let wanted =
            !gauge.is_empty() && bare == gauge && WORDS.iter().any(|word| bare.contains(word));
        if let (true, Ok(value)) = (wanted, value.parse()) {
            gauges.insert(name.to_owned(), value);
        }
    }
    gauges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gauges_about_queues_and_pools_are_taken() {
        let text = "# HELP queue_depth Jobs.\n# TYPE queue_depth gauge\n\
                    queue_depth{lane=\"create\"} 3\nqueue_depth{lane=\"find\"} 0\n\
                    # TYPE queue_refused counter\nqueue_refused_total 9\n\
                    # TYPE build_info gauge\nbuild_info 1\n# EOF\n";
        let gauges = parse(text);
        assert_eq!(gauges.len(), 2, "{gauges:?}");
        assert_eq!(gauges["queue_depth{lane=\"create\"}"], 3.0);
    }
}
