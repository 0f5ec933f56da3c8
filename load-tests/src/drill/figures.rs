//! The figures of a drill: what its rounds counted, added up.

use std::time::Duration;

use serde::Serialize;

use crate::collect::Collected;
use crate::engine::{Outcome, Tally, Unsent};
use crate::verify::Verdict;

/// What was counted in a round, or in all of them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Figures {
    /// Rounds with a load and a ledger of their own.
    pub rounds: u64,
    /// Processes that were ended by SIGKILL.
    pub kills: u64,
    /// Requests whose moment came.
    pub requests: u64,
    /// Answered as prescribed.
    pub prescribed: u64,
    /// Answered 201.
    pub created: u64,
    /// Answered 503.
    pub refused: u64,
    /// Answered 504.
    pub unknown: u64,
    /// Cut, timed out, or without a connection.
    pub unanswered: u64,
    /// Creates in ledgers that were acknowledged.
    pub acknowledged: u64,
    /// Of those: lost.
    pub lost: u64,
    /// Creates whose outcome was unknown, by 504 or by a cut.
    pub unknown_creates: u64,
    /// Of those: settled, by their key or by the table.
    pub unknown_settled: u64,
    /// The longest time from the moment of a request to its answer, in microseconds.
    pub longest_us: u64,
    /// The longest time from the end of a fault to ten creates in a row, in milliseconds.
    pub healed_ms: u64,
    /// The longest time from the healing to the last unknown outcome that was settled by its key, in milliseconds.
    pub settled_ms: u64,
}

impl Figures {
    /// The counts of a load.
    pub(super) fn count(&mut self, collected: &Collected) {
        let total = collected.total();
        self.requests += total.scheduled - of_generator(&total);
        self.prescribed += total.succeeded();
        self.created += count(&total, |outcome| outcome == Outcome::Prescribed(201));
        self.refused += total.other(503);
        self.unknown += total.other(504);
        self.unanswered += unanswered(&total);
        self.longest_us = self.longest_us.max(longest_us(&total));
    }

    /// The counts of a ledger.
    pub(super) fn verified(&mut self, verdict: &Verdict) {
        self.acknowledged += verdict.acknowledged;
        self.lost += verdict.lost;
    }

    /// The healing of a fault.
    pub(super) fn healed(&mut self, took: Duration) {
        self.healed_ms = self.healed_ms.max(millis(took));
    }

    /// The settling of unknown outcomes.
    pub(super) fn settled(&mut self, unknown: u64, settled: u64, took: Duration) {
        self.unknown_creates += unknown;
        self.unknown_settled += settled;
        self.settled_ms = self.settled_ms.max(millis(took));
    }

    /// Adds another round, or another drill.
    pub(super) fn add(&mut self, other: &Figures) {
        self.rounds += other.rounds;
        self.kills += other.kills;
        self.requests += other.requests;
        self.prescribed += other.prescribed;
        self.created += other.created;
        self.refused += other.refused;
        self.unknown += other.unknown;
        self.unanswered += other.unanswered;
        self.acknowledged += other.acknowledged;
        self.lost += other.lost;
        self.unknown_creates += other.unknown_creates;
        self.unknown_settled += other.unknown_settled;
        self.longest_us = self.longest_us.max(other.longest_us);
        self.healed_ms = self.healed_ms.max(other.healed_ms);
        self.settled_ms = self.settled_ms.max(other.settled_ms);
    }
}

/// Requests without an answer that the server owed.
pub(super) fn unanswered(tally: &Tally) -> u64 {
    let answered = |outcome| matches!(outcome, Outcome::Prescribed(_) | Outcome::Other(_));
    let unsent: u64 = tally.unsent.values().sum();
    count(tally, |outcome| !answered(outcome)) + unsent - of_generator(tally)
}

/// Requests that the generator's own limits held back, of which no server knows.
fn of_generator(tally: &Tally) -> u64 {
    tally.unsent.get(&Unsent::Generator).copied().unwrap_or(0)
}

/// The longest time to an answer, whatever it was.
pub(super) fn longest_us(tally: &Tally) -> u64 {
    tally.latency.max().max(tally.latency_failed.max())
}

fn count(tally: &Tally, test: impl Fn(Outcome) -> bool) -> u64 {
    let outcomes = tally.outcomes.iter();
    outcomes
        .filter(|(outcome, _)| test(**outcome))
        .map(|(_, n)| n)
        .sum()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
