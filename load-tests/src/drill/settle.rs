//! The settling of unknown outcomes: each create that ended as 504 is repeated with the key in its body.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::probe;
use crate::ledger::{Attempt, Fate};
use crate::target::{Target, given_location};

/// Repeats at the same time.
const REPEATERS: usize = 8;
/// Pause after a repeat that settled nothing.
const PAUSE: Duration = Duration::from_millis(50);
/// How many of those that were settled are repeated once more.
const TWICE_MAX: usize = 20;

/// What became of the unknown outcomes of a round.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Creates whose outcome was unknown.
    pub(super) unknown: u64,
    /// Of those: repeated by their key, or without one and so for the table to settle.
    pub(super) settled: u64,
    /// From the moment of healing to the last that was settled by its key; zero where there was none.
    pub(super) took: Duration,
    /// Keys that gave another id.
    pub(super) wrong: Vec<String>,
    /// Keys that gave nothing in time.
    pub(super) unsettled: Vec<String>,
}

/// Why a repeat settled nothing.
enum Unsettled {
    OtherId(String),
    NotInTime(String),
}

/// Repeats every unknown create of a ledger that has a key, until `patience` after `healed`.
pub(super) fn settle(
    target: &Target,
    attempts: &[Attempt],
    healed: Instant,
    patience: Duration,
) -> Settled {
    let unknown: Vec<&Attempt> = attempts
        .iter()
        .filter(|attempt| matches!(attempt.fate, Fate::Unknown { .. }))
        .collect();
    let keyed: Vec<&Attempt> = (unknown.iter().copied())
        .filter(|attempt| attempt.key.is_some())
        .collect();
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..REPEATERS.min(keyed.len()) {
            scope.spawn(|| {
                while let Some(attempt) = keyed.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = repeat(target, attempt, healed + patience) {
                        failed
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(why);
                    }
                }
            });
        }
    });
    let took = if keyed.is_empty() {
        Duration::ZERO
    } else {
        healed.elapsed()
    };
    let mut failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut settled = Settled {
        unknown: unknown.len() as u64,
        settled: (unknown.len() - failed.len()) as u64,
        took,
        ..Settled::default()
    };
    // Once more, where the first repeat has stored it for certain.
    let twice = keyed.iter().take(TWICE_MAX);
    failed.extend(
        twice.filter_map(|attempt| repeat(target, attempt, Instant::now() + patience).err()),
    );
    for why in failed {
        match why {
            Unsettled::OtherId(why) => settled.wrong.push(why),
            Unsettled::NotInTime(why) => settled.unsettled.push(why),
        }
    }
    settled
}

/// Repeats one create until it is acknowledged where its 504 said that it would be.
fn repeat(target: &Target, attempt: &Attempt, until: Instant) -> Result<(), Unsettled> {
    let number = attempt.number;
    let body = attempt.warrior.as_ref().map(serde_json::to_string);
    let Some(Ok(body)) = body else {
        let why = format!("request {number} was 504 and is no warrior");
        return Err(Unsettled::OtherId(why));
    };
    let promised = match &attempt.fate {
        Fate::Unknown { location } => location.as_deref(),
        _ => None,
    };
    loop {
        let said = match probe::create(target, &body, attempt.key.as_deref()) {
            Ok(reply) if reply.status == 201 => {
                let path = |location: Option<&str>| location.and_then(given_location);
                return match path(reply.location.as_deref()) == path(promised) {
                    true => Ok(()),
                    false => Err(Unsettled::OtherId(format!(
                        "the key of request {number} gave {} instead of {}",
                        reply.location.unwrap_or_default(),
                        promised.unwrap_or_default()
                    ))),
                };
            }
            Ok(reply) => format!(
                "the key of request {number}: {} {}",
                reply.status, reply.body
            ),
            Err(error) => format!("the key of request {number}: {error}"),
        };
        if Instant::now() > until {
            return Err(Unsettled::NotInTime(said));
        }
        std::thread::sleep(PAUSE);
    }
}
