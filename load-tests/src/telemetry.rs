//! The server's own view of a stretch of time: counters of `/metrics` before and after, and what `/figures` says binds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client;
use crate::target::Target;

/// How often the server is asked what binds.
const INTERVAL: Duration = Duration::from_secs(1);

/// What the server counted over a stretch of time, and said of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Telemetry {
    /// Each lane.
    pub lanes: Vec<LaneTelemetry>,
    /// Mean wait of a worker for its connection of r2d2, in seconds.
    pub checkout_wait_seconds: Option<f64>,
    /// Connections of r2d2 that were in use, on average.
    pub connections_used: Option<f64>,
    /// What bound the server, in its own words, where it was asked most often.
    pub bound: Option<String>,
}

/// One lane over a stretch of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LaneTelemetry {
    /// Its name.
    pub lane: String,
    /// Requests a second.
    pub rate: f64,
    /// Mean wait of a request in the queue, in seconds.
    pub queue_seconds: f64,
    /// Mean time of a batch, in seconds.
    pub batch_seconds: f64,
    /// Requests of a batch, on average.
    pub batch_size: f64,
    /// Workers that were busy, on average.
    pub busy: f64,
}

/// Values of `/metrics` by their names with labels.
type Samples = BTreeMap<String, f64>;

/// Does `work`, and gives what the server behind this admin listener counted meanwhile. A server that does not answer
/// has no telemetry; that is no error.
pub(crate) fn observe<T>(
    admin: Option<&Target>,
    work: impl FnOnce() -> T,
) -> (T, Option<Telemetry>) {
    let Some(admin) = admin else {
        return (work(), None);
    };
    let before = samples(admin);
    let (began, ended) = (Instant::now(), AtomicBool::new(false));
    let (done, said) = std::thread::scope(|scope| {
        let asking = scope.spawn(|| ask(admin, &ended));
        let done = work();
        ended.store(true, Ordering::Relaxed);
        asking.thread().unpark();
        (done, asking.join().unwrap_or_default())
    });
    let seconds = began.elapsed().as_secs_f64();
    let telemetry = before.zip(samples(admin)).map(|(before, after)| Telemetry {
        bound: most_frequent(said),
        ..between(&before, &after, seconds)
    });
    (done, telemetry)
}

/// The server's sentences on what binds it, one a second.
fn ask(admin: &Target, ended: &AtomicBool) -> Vec<String> {
    let mut said = Vec::new();
    while !ended.load(Ordering::Relaxed) {
        std::thread::park_timeout(INTERVAL);
        let answer = client::get(admin, "/figures").ok();
        match answer.filter(|answer| answer.status == 200) {
            Some(answer) => said.extend(sentence_of(&answer.body)),
            // An older server has no such page.
            None => break,
        }
    }
    said
}

/// What `/figures` says binds.
fn sentence_of(figures: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Figures {
        binds: Binds,
    }
    #[derive(Deserialize)]
    struct Binds {
        sentence: String,
    }
    let figures: Figures = serde_json::from_slice(figures).ok()?;
    Some(figures.binds.sentence)
}

/// The sentence that came most often, whatever the numbers in it.
fn most_frequent(said: Vec<String>) -> Option<String> {
    let mut counts: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for sentence in said {
        let gist = sentence.replace(|c: char| c.is_ascii_digit() || c == '.', "");
        let (count, newest) = counts.entry(gist).or_default();
        *count += 1;
        *newest = sentence;
    }
    let most = counts.into_values().max_by_key(|(count, _)| *count)?;
    Some(most.1)
}

/// Workers of a lane, as the server counts them; none where it does not say.
pub(crate) fn workers(admin: &Target, lane: &str) -> Option<u32> {
    let workers = samples(admin)?
        .get(&format!("warrior_workers{{lane=\"{lane}\"}}"))
        .copied()?;
    Some(workers as u32)
}

fn samples(admin: &Target) -> Option<Samples> {
    let answer = client::get(admin, "/metrics").ok()?;
    (answer.status == 200).then(|| parse(&String::from_utf8_lossy(&answer.body)))
}

fn parse(text: &str) -> Samples {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        })
        .collect()
}

fn between(before: &Samples, after: &Samples, seconds: f64) -> Telemetry {
    let grown = |name: &str| {
        let end = after.get(name)?;
        Some(end - before.get(name).copied().unwrap_or_default())
    };
    let mean = |name: &str, label: &str| {
        let sum = grown(&format!("{name}_sum{label}"))?;
        let count = grown(&format!("{name}_count{label}"))?;
        (count > 0.0).then_some(sum / count)
    };
    let lane = |lane: &str| {
        let label = format!("{{lane=\"{lane}\"}}");
        Some(LaneTelemetry {
            lane: lane.to_owned(),
            rate: grown(&format!("warrior_batch_size_sum{label}"))? / seconds,
            queue_seconds: mean("warrior_queue_wait_seconds", &label)?,
            batch_seconds: mean("warrior_batch_duration_seconds", &label)?,
            batch_size: mean("warrior_batch_size", &label)?,
            busy: grown(&format!("warrior_batch_duration_seconds_sum{label}"))? / seconds,
        })
    };
    Telemetry {
        lanes: ["create", "find", "search"]
            .into_iter()
            .filter_map(lane)
            .collect(),
        checkout_wait_seconds: mean("db_client_connection_wait_time_seconds", ""),
        connections_used: grown("db_client_connection_use_time_seconds_sum")
            .map(|used| used / seconds),
        bound: None,
    }
}

impl Telemetry {
    /// What the server waited for, in one sentence: its own where it has one, else the longest of the mean waits.
    pub fn sentence(&self) -> Option<String> {
        if let Some(bound) = &self.bound {
            return Some(bound.clone());
        }
        let longest =
            (self.lanes.iter()).max_by(|a, b| a.queue_seconds.total_cmp(&b.queue_seconds))?;
        Some(format!(
            "requests waited longest in lane {}: {:.1} ms in its queue, then {:.1} ms in a batch of {:.0}; {:.1} of its \
             workers were busy, and a worker waited {:.1} ms for its connection (by /metrics; this server has no \
             /figures)",
            longest.lane,
            longest.queue_seconds * 1e3,
            longest.batch_seconds * 1e3,
            longest.batch_size,
            longest.busy,
            self.checkout_wait_seconds.unwrap_or_default() * 1e3,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_become_means_over_the_stretch() {
        let at = |requests: f64, batches: f64, busy: f64| {
            parse(&format!(
                "# TYPE warrior_batch_size histogram\n\
                 warrior_batch_size_sum{{lane=\"create\"}} {requests}\n\
                 warrior_batch_size_count{{lane=\"create\"}} {batches}\n\
                 warrior_queue_wait_seconds_sum{{lane=\"create\"}} {}\n\
                 warrior_queue_wait_seconds_count{{lane=\"create\"}} {requests}\n\
                 warrior_batch_duration_seconds_sum{{lane=\"create\"}} {busy}\n\
                 warrior_batch_duration_seconds_count{{lane=\"create\"}} {batches}\n\
                 db_client_connection_use_time_seconds_sum {busy}\n",
                requests / 100.0
            ))
        };
        let seen = between(&at(100.0, 10.0, 1.0), &at(500.0, 50.0, 5.0), 2.0);
        let [lane] = &seen.lanes[..] else {
            panic!("{seen:?}");
        };
        assert_eq!(lane.rate, 200.0);
        assert_eq!(lane.batch_size, 10.0);
        assert!((lane.queue_seconds - 0.01).abs() < 1e-12);
        assert!((lane.batch_seconds - 0.1).abs() < 1e-12);
        // Little's law: 20 batches a second of 0.1 s each.
        assert_eq!(lane.busy, 2.0);
        assert_eq!(seen.connections_used, Some(2.0));
        assert!(seen.sentence().expect("a lane").contains("lane create"));
    }

    #[test]
    fn figures_hold_a_sentence_among_much_else() {
        let figures = br#"{"at":1.5,"lanes":[{"lane":"create","workers":2}],"pgbouncer":null,
            "binds":{"limit":"workers","sentence":"All 2 workers of lane create are busy."}}"#;
        let sentence = sentence_of(figures);
        assert_eq!(
            sentence.as_deref(),
            Some("All 2 workers of lane create are busy.")
        );
        assert_eq!(sentence_of(b"{}"), None);
    }

    #[test]
    fn the_sentence_that_came_most_often_stands_for_all() {
        let said = [
            "workers: 8 of 8 busy",
            "nothing binds",
            "workers: 7 of 8 busy",
        ];
        let most = most_frequent(said.map(str::to_owned).to_vec());
        assert_eq!(most.as_deref(), Some("workers: 7 of 8 busy"));
        assert_eq!(most_frequent(Vec::new()), None);
    }
}
