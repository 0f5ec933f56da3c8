//! The result of a search, put together: where it began, what was found and why, and whether it says anything.

use std::path::Path;

use super::config::{Change, Config};
use super::explain::{formulas, lane_loads};
use super::measured::Measured;
use super::race::{Ending, Found};
use super::sizes::Sizes;
use super::tuning::Tuning;
use super::{TuneSetup, TunedStack};
use crate::capacity::slo_of;
use crate::commit::commit;
use crate::exit::{Exit, Interrupted};
use crate::files::sha256;
use crate::judge;
use crate::machine::{Machine, Throttling};
use crate::trial::Trials;

/// With fewer requests in a trial, its p99 rests on less than ten of them.
const REQUESTS_OF_A_TRIAL: f64 = 1000.0;

impl Tuning {
    pub(super) fn begin(setup: &TuneSetup, current: Sizes) -> Tuning {
        let profile = &setup.profile;
        let (stack, can_pass_the_pooler) = match &setup.stack {
            TunedStack::Throwaway { delay, cpus, .. } => {
                let delay = delay.map(|delay| format!(", {delay:?} to the database"));
                let cpus = cpus.map(|cpus| format!(", PostgreSQL with {cpus} CPUs"));
                let handicap = delay.unwrap_or_default() + &cpus.unwrap_or_default();
                (format!("a throw-away stack{handicap}"), true)
            }
            TunedStack::Named(stack) => (stack.target.url.clone(), false),
        };
        let now = chrono::Utc::now();
        Tuning {
            id: format!("tune-{}", uuid::Uuid::now_v7()),
            started_at: now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            commit: commit(),
            stack,
            can_pass_the_pooler,
            profile: profile.name.clone(),
            profile_digest: sha256(profile.source.as_bytes()),
            slo: slo_of(profile),
            seed: setup.overrides.seed,
            step_seconds: setup.step.as_secs_f64(),
            seconds: 0.0,
            exit: Exit::Invalid,
            invalid: Vec::new(),
            marks: Vec::new(),
            rate: 0.0,
            current,
            chosen: current,
            ending: Ending::BudgetEnded,
            proofs: Vec::new(),
            again: None,
            past_the_pooler: None,
            lanes: Vec::new(),
            bound: None,
            formulas: Vec::new(),
            diff: String::new(),
            applied: Vec::new(),
            undo: None,
            samples: Vec::new(),
            verification: None,
            ledger: None,
            machine: Machine::look(),
            throttling: Throttling::default(),
        }
    }

    /// A search that an error ended says nothing but why, and proposes nothing.
    pub(super) fn fail(&mut self, error: &anyhow::Error) {
        self.chosen = self.current;
        self.fail_to_apply(error);
    }

    /// A proposal that cannot be applied stays one.
    pub(super) fn fail_to_apply(&mut self, error: &anyhow::Error) {
        let why = format!("{error:#}");
        if !self.invalid.contains(&why) {
            self.exit = Exit::of_search_error(error);
            self.invalid.push(why);
        }
    }

    /// What was found, why, and what it changes.
    pub(super) fn explain(
        &mut self,
        measured: &Measured,
        config: &Config,
        found: Found,
        cores: usize,
    ) {
        let newest = measured.samples.iter().rev();
        let mut of_chosen = newest.filter(|sample| sample.sizes == found.chosen);
        let telemetry = of_chosen.find_map(|sample| sample.trial.telemetry.as_ref());
        if let Some(telemetry) = telemetry {
            self.lanes = lane_loads(&found.chosen, telemetry);
            self.bound = telemetry.sentence();
        }
        self.formulas = formulas(cores, &found.chosen);
        let changes = config.changes(&self.current, &found.chosen);
        self.diff = changes.iter().map(Change::diff).collect();
        self.rate = measured.rate;
        self.ending = found.ending;
        self.proofs = found.proofs;
        self.samples = measured.samples.clone();
        let ledger = measured.trials.ledger_path().and_then(Path::file_name);
        self.ledger = ledger.map(|name| name.to_string_lossy().into_owned());
    }

    /// Judges the search and its ledger: one that was cut short says nothing.
    pub(super) fn judge(&mut self, trials: &Trials) {
        let has_failed = !self.invalid.is_empty();
        if trials.is_stopped() && !has_failed {
            self.invalid.push(Interrupted.to_string());
        } else if !has_failed && self.ending == Ending::BudgetEnded && self.again.is_none() {
            self.invalid.push(
                "the budget ended before a round of the search did: whether other sizes are better is not known; give a \
                 longer --budget or a shorter --step"
                    .to_owned(),
            );
        }
        self.verify(trials);
    }

    /// Judges what the ledger holds by now: a lost write goes before everything.
    pub(super) fn verify(&mut self, trials: &Trials) {
        match trials.verify() {
            Ok(verdict) => self.verification = verdict,
            Err(error) => self.invalid.push(format!("{error:#}")),
        }
        let verdicts: Vec<_> = self.verification.iter().cloned().collect();
        self.invalid.extend(judge::unproven(&verdicts));
        if verdicts.iter().any(|verdict| !verdict.holds()) {
            self.exit = Exit::Lost;
        } else if self.invalid.is_empty() {
            self.exit = Exit::Passed;
        } else if self.exit == Exit::Passed {
            self.exit = Exit::Invalid;
        }
    }

    /// Says what a reader should know of the trials.
    pub(super) fn note(&mut self) {
        let requests = self.rate * self.step_seconds;
        if requests < REQUESTS_OF_A_TRIAL {
            self.marks.push(format!(
                "a trial has {requests:.0} requests, so its p99 is the latency of its slowest few; give a longer --step"
            ));
        }
        let doubts = self
            .samples
            .iter()
            .filter(|sample| !sample.trial.doubts.is_empty());
        let (doubts, all) = (doubts.count(), self.samples.len());
        if doubts > 0 {
            self.marks.push(format!(
                "in {doubts} of {all} trials the generator fell behind its schedule, which both sides of a comparison \
                 suffer alike"
            ));
        }
        self.marks.extend(judge::throttling_marks(&self.throttling));
    }
}
