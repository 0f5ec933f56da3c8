//! The judgement of a round by the invariants that every drill keeps.

use std::fmt;
use std::slice;
use std::time::Duration;

use serde::Serialize;

use super::figures::{longest_us, unanswered};
use super::load::CREATE;
use super::rig::Unanswered;
use super::settle::Settled;
use crate::collect::Collected;
use crate::engine::{Outcome, Unsent};
use crate::judge;
use crate::verify::Verdict;

/// A request's deadline, the server's default.
const DEADLINE: Duration = Duration::from_secs(3);
/// How much later an answer may be.
const DEADLINE_MARGIN: Duration = Duration::from_millis(250);
/// Longest time from the end of a fault to ten creates in a row, and to the last unknown outcome that is settled.
pub(super) const HEALED_WITHIN: Duration = Duration::from_secs(5);

/// An invariant, or what a drill asks for beyond them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Invariant {
    /// Every 201 is present, once, field for field.
    I1,
    /// Every 4xx and 503 is absent.
    I2,
    /// A repeated key gives one row.
    I3,
    /// The count is the table's.
    I4,
    /// No other answer than the contract's.
    I5,
    /// An answer to each request, by its deadline.
    I6,
    /// Ten creates in a row soon after healing.
    I7,
    /// Threads, descriptors and memory are given back.
    I8,
    /// `/live` is 200 throughout, `/ready` tells the truth.
    I9,
    /// The drill's own.
    Asked,
}

/// An invariant that was not kept.
#[derive(Clone, Debug, Serialize)]
pub struct Breach {
    /// Which.
    pub invariant: Invariant,
    /// How.
    pub what: String,
}

impl Breach {
    pub(super) fn of(invariant: Invariant, what: impl Into<String>) -> Breach {
        Breach {
            invariant,
            what: what.into(),
        }
    }

    /// Whether what was promised about stored rows is broken, and not a time or a resource.
    pub fn is_promise(&self) -> bool {
        self.invariant <= Invariant::I5
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.invariant {
            Invariant::Asked => write!(f, "{}", self.what),
            invariant => write!(f, "{invariant:?}: {}", self.what),
        }
    }
}

/// I1, I2 and I4 by the comparison of a ledger with the table.
pub(super) fn by_table(verdict: &Verdict) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut found = |invariant, count: u64, what: &str| {
        if count > 0 {
            breaches.push(Breach::of(invariant, format!("{count} {what}")));
        }
    };
    found(Invariant::I1, verdict.lost, "acknowledged and lost");
    found(Invariant::I1, verdict.altered, "stored with other fields");
    found(
        Invariant::I1,
        verdict.without_location,
        "201 without a Location",
    );
    found(Invariant::I2, verdict.refused_but_stored, "503 and stored");
    found(Invariant::I2, verdict.rejected_but_stored, "4xx and stored");
    found(Invariant::I1, verdict.duplicates, "stored twice");
    let (api, table) = (verdict.count_by_api, verdict.count_expected);
    if verdict.count_agrees() == Some(false) && verdict.undetermined == 0 {
        let what = format!("/counting-warriors says {api:?}, the table {table:?}");
        breaches.push(Breach::of(Invariant::I4, what));
    }
    breaches
}

/// Why a comparison proves less than all: what was not read back may be kept or lost.
pub(super) fn unproven(verdict: &Verdict) -> Option<String> {
    let uncounted = verdict.count_by_api.is_none() && verdict.count_expected.is_some();
    judge::unproven(slice::from_ref(verdict))
        .or_else(|| uncounted.then(|| "/counting-warriors gave no count".to_owned()))
}

/// I5 and I6 by the counts of the load.
pub(super) fn by_answers(collected: &Collected, allowed: Unanswered) -> Vec<Breach> {
    let mut breaches = by_outcomes(collected);
    breaches.extend(by_time(collected, allowed, DEADLINE));
    breaches
}

/// I6: requests without an answer, and answers after a deadline.
pub(super) fn by_time(
    collected: &Collected,
    allowed: Unanswered,
    deadline: Duration,
) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let total = collected.total();
    let refused = total.unsent.get(&Unsent::Connect).copied().unwrap_or(0);
    let unanswered = match allowed {
        Unanswered::None => unanswered(&total),
        Unanswered::Refused => unanswered(&total) - refused,
        Unanswered::Cut => total.outcomes.get(&Outcome::Timeout).copied().unwrap_or(0),
        Unanswered::Any => return breaches,
    };
    if unanswered > 0 {
        let what = format!(
            "{unanswered} requests without an answer: {}",
            total.outcomes_text()
        );
        breaches.push(Breach::of(Invariant::I6, what));
    }
    // What the generator itself was late by is not the server's.
    let late = Duration::from_micros(total.lateness.max());
    let longest = Duration::from_micros(longest_us(&total));
    if longest > deadline + DEADLINE_MARGIN + late {
        let what = format!("an answer after {longest:.2?}, the generator up to {late:.2?} late");
        breaches.push(Breach::of(Invariant::I6, what));
    }
    breaches
}

/// I5: answers that are not in the contract.
fn by_outcomes(collected: &Collected) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (endpoint, tally) in collected.tallies.iter().enumerate() {
        for (outcome, n) in &tally.outcomes {
            let known = match outcome {
                Outcome::Other(503) | Outcome::Prescribed(_) => true,
                // Only a write has an unknown outcome.
                Outcome::Other(504) => endpoint == CREATE,
                Outcome::Other(_) | Outcome::Protocol => false,
                Outcome::Cut | Outcome::Timeout => true,
            };
            if !known {
                breaches.push(Breach::of(Invariant::I5, format!("{n} answers: {outcome}")));
            }
        }
    }
    breaches
}

/// I3 and the time that settling took.
pub(super) fn by_settling(settled: &Settled) -> Vec<Breach> {
    let of = |invariant, found: &[String]| -> Vec<Breach> {
        found.iter().map(|why| Breach::of(invariant, why)).collect()
    };
    let mut breaches = of(Invariant::I3, &settled.wrong);
    breaches.extend(of(Invariant::I7, &settled.unsettled));
    if settled.took > HEALED_WITHIN {
        let what = format!(
            "the last unknown outcome was settled {:.1?} after healing",
            settled.took
        );
        breaches.push(Breach::of(Invariant::I7, what));
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Tally;

    const NOTHING: [Invariant; 0] = [];

    fn collected(outcomes: &[(usize, Outcome)]) -> Collected {
        let mut collected = Collected::new(2);
        for (endpoint, outcome) in outcomes {
            let tally: &mut Tally = &mut collected.tallies[*endpoint];
            *tally.outcomes.entry(*outcome).or_default() += 1;
        }
        collected
    }

    fn invariants(breaches: &[Breach]) -> Vec<Invariant> {
        breaches.iter().map(|breach| breach.invariant).collect()
    }

    #[test]
    fn only_a_create_is_unknown_and_nothing_else_is_answered() {
        let judged = |outcome, endpoint, allowed| {
            invariants(&by_answers(&collected(&[(endpoint, outcome)]), allowed))
        };
        let none = Unanswered::None;
        assert_eq!(judged(Outcome::Other(504), CREATE, none), NOTHING);
        assert_eq!(judged(Outcome::Other(504), 1, none), [Invariant::I5]);
        assert_eq!(judged(Outcome::Other(404), 1, none), [Invariant::I5]);
        assert_eq!(judged(Outcome::Other(500), CREATE, none), [Invariant::I5]);
        assert_eq!(judged(Outcome::Other(503), 1, none), NOTHING);
        assert_eq!(judged(Outcome::Cut, 1, none), [Invariant::I6]);
        assert_eq!(
            judged(Outcome::Cut, 1, Unanswered::Refused),
            [Invariant::I6]
        );
        assert_eq!(judged(Outcome::Cut, 1, Unanswered::Cut), NOTHING);
        assert_eq!(
            judged(Outcome::Timeout, 1, Unanswered::Cut),
            [Invariant::I6]
        );
        // Where times are not judged, answers are.
        let any = Unanswered::Any;
        assert_eq!(judged(Outcome::Timeout, 1, any), NOTHING);
        assert_eq!(judged(Outcome::Other(500), CREATE, any), [Invariant::I5]);
    }

    #[test]
    fn a_late_answer_is_a_breach_unless_the_generator_was_as_late() {
        let mut late = collected(&[(CREATE, Outcome::Other(503))]);
        late.tallies[CREATE]
            .latency_failed
            .record(3_300_000)
            .expect("it resizes");
        assert_eq!(
            invariants(&by_answers(&late, Unanswered::None)),
            [Invariant::I6]
        );
        late.tallies[CREATE]
            .lateness
            .record(100_000)
            .expect("it resizes");
        assert_eq!(invariants(&by_answers(&late, Unanswered::None)), NOTHING);
    }

    #[test]
    fn each_finding_of_the_table_is_a_breach_of_its_own_kind() {
        let verdict = Verdict {
            acknowledged: 10,
            present: 9,
            lost: 1,
            refused_but_stored: 2,
            duplicates: 3,
            count_by_api: Some(1),
            count_expected: Some(2),
            ..Verdict::default()
        };
        let breaches = by_table(&verdict);
        let expected = [Invariant::I1, Invariant::I2, Invariant::I1, Invariant::I4];
        assert_eq!(invariants(&breaches), expected);
        assert!(breaches.iter().all(Breach::is_promise));
        let clean = Verdict {
            acknowledged: 1,
            present: 1,
            count_by_api: Some(1),
            count_expected: Some(1),
            ..Verdict::default()
        };
        assert!(by_table(&clean).is_empty());
        assert_eq!(unproven(&clean), None);
    }

    #[test]
    fn what_could_not_be_read_back_is_unproven_and_no_broken_promise() {
        let unread = Verdict {
            acknowledged: 3,
            present: 1,
            ..Verdict::default()
        };
        let uncounted = Verdict {
            count_expected: Some(1),
            ..Verdict::default()
        };
        for verdict in [unread, uncounted] {
            assert_eq!(invariants(&by_table(&verdict)), NOTHING);
            assert!(unproven(&verdict).is_some());
        }
    }
}
