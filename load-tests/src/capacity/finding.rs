//! The result of a search for the capacity, as JSON. Durations are microseconds, rates are per second, shares are of one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CapacitySetup, KneeSearch};
use crate::commit::commit;
use crate::exit::{Exit, Interrupted};
use crate::files::sha256;
use crate::judge;
use crate::machine::{Machine, Throttling};
use crate::result::Judged;
use crate::trial::{Standing, Trial};
use crate::verify::Verdict;

/// Everything that is known about a capacity.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Capacity {
    /// The id of the search, and the name of its files.
    pub id: String,
    /// When it began (RFC 3339, UTC).
    pub started_at: String,
    /// The commit of the work tree that it ran in.
    pub commit: Option<String>,
    /// Where requests went.
    pub target: String,
    /// The profile whose requests they were.
    pub profile: String,
    /// SHA-256 of its text.
    pub profile_digest: String,
    /// The objective, condition by condition.
    pub slo: Vec<String>,
    /// Draws everything that is random.
    pub seed: u64,
    /// How long a trial was measured, in seconds.
    pub step_seconds: f64,
    /// How it ended.
    pub exit: Exit,
    /// Why it says nothing; empty when it does.
    pub invalid: Vec<String>,
    /// What a reader should know.
    pub marks: Vec<String>,
    /// Requests that the closed probe got answered a second.
    pub closed_rate: f64,
    /// The capacity; nothing where no rate held the objective.
    pub finding: Option<CapacityFinding>,
    /// Every trial, in the order of time.
    pub trials: Vec<Trial>,
    /// The verdict on the ledger of all trials.
    pub verification: Option<Verdict>,
    /// The ledger's file, beside this one.
    pub ledger: Option<String>,
    /// The machine that the generator ran on.
    pub machine: Machine,
    /// CPU time that the machine withheld.
    pub throttling: Throttling,
}

/// The highest rate that held, and what ended there.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CapacityFinding {
    /// Arrivals a second.
    pub rate: f64,
    /// Up to this rate every trial held; nothing where the least already missed once.
    pub low: Option<f64>,
    /// From this rate on no trial held; nothing where the greatest still did.
    pub high: Option<f64>,
    /// The conditions that broke first above it.
    pub broke: Vec<Judged>,
    /// What bound the server there, by its own account.
    pub bound: Option<String>,
}

impl Capacity {
    pub(super) fn begin(setup: &CapacitySetup) -> anyhow::Result<Capacity> {
        let profile = &setup.profile;
        let now = chrono::Utc::now();
        Ok(Capacity {
            id: format!("capacity-{}", uuid::Uuid::now_v7()),
            started_at: now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            commit: commit(),
            target: setup.target.url.clone(),
            profile: profile.name.clone(),
            profile_digest: sha256(profile.source.as_bytes()),
            slo: slo_of(profile),
            seed: setup.overrides.seed,
            step_seconds: setup.step.as_secs_f64(),
            exit: Exit::Invalid,
            invalid: Vec::new(),
            marks: Vec::new(),
            closed_rate: 0.0,
            finding: None,
            trials: Vec::new(),
            verification: None,
            ledger: None,
            machine: Machine::default(),
            throttling: Throttling::default(),
        })
    }

    /// Takes what a whole search has found.
    pub(super) fn find(&mut self, search: &KneeSearch) {
        self.finding = search.estimate().map(|estimate| {
            let above = first_missed_above(estimate.rate, &self.trials);
            CapacityFinding {
                rate: estimate.rate,
                low: estimate.low,
                high: estimate.high,
                broke: above.map_or(Vec::new(), |trial| trial.missed().cloned().collect()),
                bound: above
                    .and_then(|trial| trial.telemetry.as_ref())
                    .and_then(|telemetry| telemetry.sentence()),
            }
        });
        let held = self.finding.as_ref().map(|finding| finding.rate);
        self.invalid.extend(doubt(held, &self.trials));
    }

    /// Takes what ended a search before its end: it has found nothing.
    pub(super) fn fail(&mut self, error: &anyhow::Error) {
        self.exit = Exit::of_search_error(error);
        self.invalid.push(format!("{error:#}"));
    }

    /// Judges the whole: a lost write goes before everything, and a bracket whose upper end is the generator's is none.
    pub(super) fn end(&mut self, verified: anyhow::Result<Option<Verdict>>, interrupted: bool) {
        match verified {
            Ok(verdict) => self.verification = verdict,
            Err(error) => self.invalid.push(format!("{error:#}")),
        }
        let verdicts: Vec<Verdict> = self.verification.iter().cloned().collect();
        self.invalid.extend(judge::unproven(&verdicts));
        if interrupted {
            self.invalid.push(Interrupted.to_string());
        }
        self.marks.extend(judge::throttling_marks(&self.throttling));
        self.exit = if verdicts.iter().any(|verdict| !verdict.holds()) {
            Exit::Lost
        } else if !self.invalid.is_empty() {
            // Of the error that ended it, where one did.
            self.exit
        } else if self.finding.is_none() {
            Exit::ThresholdMissed
        } else {
            Exit::Passed
        };
    }
}

/// Why the upper end of what was found is not the server's: nothing ends the range, or the generator does. Where nothing
/// held, whatever rate the server missed is its end.
fn doubt(held: Option<f64>, trials: &[Trial]) -> Option<String> {
    let rate = held.unwrap_or_default();
    let above = || trials.iter().filter(move |trial| trial.rate > rate);
    if above().next().is_none() {
        return Some(format!(
            "the budget ended before a rate missed the objective: the capacity is at least {rate:.0}/s; give a longer --budget"
        ));
    }
    let ended = above().filter(|trial| trial.standing != Standing::Held);
    let first = ended.map(|trial| trial.rate).min_by(f64::total_cmp)?;
    let mut there = above().filter(|trial| held.is_none() || trial.rate == first);
    if there.any(|trial| trial.standing == Standing::Missed) {
        return None;
    }
    let mut undecided = above().filter(|trial| trial.standing == Standing::Undecided);
    let reason = undecided.find_map(|trial| trial.doubts.first())?;
    Some(format!(
        "the capacity is at least {rate:.0}/s: at {first:.0}/s the generator itself fell behind ({reason})"
    ))
}

/// The trial of the least rate above this one that the server missed.
fn first_missed_above(rate: f64, trials: &[Trial]) -> Option<&Trial> {
    let missed = trials
        .iter()
        .filter(|trial| trial.standing == Standing::Missed && trial.rate > rate);
    missed.min_by(|a, b| a.rate.total_cmp(&b.rate))
}

/// The conditions of an objective, with the one that is part of every one.
pub(crate) fn slo_of(profile: &crate::profile::Profile) -> Vec<String> {
    let conditions = profile.conditions();
    let mut texts: Vec<String> = conditions.iter().map(ToString::to_string).collect();
    if profile.creates() {
        texts.push("lost == 0".to_owned());
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial((rate, standing): (f64, Standing)) -> Trial {
        let late = (standing == Standing::Undecided).then(|| format!("late at {rate}"));
        Trial {
            rate,
            scheduled: rate,
            answered: rate,
            success: 1.0,
            p50_us: None,
            p99_us: None,
            service_p50_us: None,
            conditions: Vec::new(),
            standing,
            doubts: late.into_iter().collect(),
            outcomes: String::new(),
            telemetry: None,
        }
    }

    #[test]
    fn an_upper_end_is_the_servers_where_the_server_missed() {
        use Standing::{Held, Missed, Undecided};
        /// Trials, what the doubt holds, and where the server missed first.
        type Case<'c> = (&'c [(f64, Standing)], Option<&'c str>, Option<f64>);
        let cases: [Case<'_>; 5] = [
            (&[(1000.0, Held), (1060.0, Missed)], None, Some(1060.0)),
            (&[(1000.0, Held)], Some("give a longer --budget"), None),
            (
                &[(1000.0, Held), (1060.0, Undecided), (2000.0, Missed)],
                Some("late at 1060"),
                Some(2000.0),
            ),
            (
                &[(1000.0, Held), (1060.0, Undecided), (1060.0, Missed)],
                None,
                Some(1060.0),
            ),
            // A trial that held above it says nothing of the end.
            (
                &[(1000.0, Held), (1100.0, Held), (1200.0, Missed)],
                None,
                Some(1200.0),
            ),
        ];
        for (tried, doubted, missed) in cases {
            let trials: Vec<Trial> = tried.iter().copied().map(trial).collect();
            let said = doubt(Some(1000.0), &trials);
            assert_eq!(said.is_some(), doubted.is_some(), "{tried:?}: {said:?}");
            assert!(
                said.unwrap_or_default()
                    .contains(doubted.unwrap_or_default()),
                "{tried:?}"
            );
            let first = first_missed_above(1000.0, &trials);
            assert_eq!(first.map(|trial| trial.rate), missed, "{tried:?}");
        }
        let none_held = [(1.0, Missed), (0.5, Undecided)].map(trial);
        assert_eq!(doubt(None, &none_held), None);
        assert!(doubt(None, &none_held[1..]).is_some());
    }
}
