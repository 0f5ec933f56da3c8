//! The surface as it is measured: a rig with sizes, a mix at a rate near the knee, a budget.

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PAIRS_AGAIN;
use super::race::Surface;
use super::rig::Rig;
use super::sizes::Sizes;
use crate::budget::Budget;
use crate::capacity::{KneeSearch, line};
use crate::output::say;
use crate::trial::{Standing, Trial, Trials};

/// Connections of the closed probe that says where the knee may be.
const PROBE_CONNECTIONS: usize = 64;
/// Trials for the knee at the most: it says how hard to try, and need not be exact.
const KNEE_TRIALS_MAX: usize = 10;
/// The share of the knee that is the load: near enough for sizes to matter, far enough to be served while the trials of a
/// round make the table, and each search with it, larger.
const NEAR: f64 = 0.8;
/// The growth of the load while a better configuration holds it, and its fall while the best so far does not.
const GROWTH: f64 = 1.25;
/// How often it grows after one move, and falls before one round.
const GROWTHS_MAX: usize = 4;
/// Trials, the most of which say whether a configuration holds the load.
const TRIALS_TO_HOLD: usize = 3;

/// One measurement of one configuration.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// The sizes; a pool of 0 is a server past PgBouncer.
    pub sizes: Sizes,
    /// What was measured.
    pub trial: Trial,
}

/// The rig under measurement.
pub(super) struct Measured {
    pub(super) rig: Box<dyn Rig>,
    pub(super) trials: Trials,
    pub(super) budget: Budget,
    /// Steps that are kept for what comes after the search.
    pub(super) reserve: u32,
    pub(super) step: Duration,
    /// Requests a second.
    pub(super) rate: f64,
    /// Whether the rate rises with what the best configuration holds.
    pub(super) rises: bool,
    /// Whether it falls with it, too: where no rate was held, a lower one would only hide what sizes do.
    falls: bool,
    /// What a configuration costs that answers nothing, in microseconds.
    pub(super) timeout_us: f64,
    applied: Option<Sizes>,
    /// How often a better one was found.
    moves: u32,
    pub(super) samples: Vec<Sample>,
}

impl Measured {
    pub(super) fn new(
        rig: Box<dyn Rig>,
        trials: Trials,
        budget: Budget,
        step: Duration,
        applied: Sizes,
    ) -> Measured {
        let timeout = trials.mix.profile().timeout;
        Measured {
            rig,
            budget,
            reserve: 0,
            step,
            rate: 0.0,
            rises: false,
            falls: false,
            timeout_us: timeout.as_secs_f64() * 1e6,
            trials,
            applied: Some(applied),
            moves: 0,
            samples: Vec::new(),
        }
    }

    /// Finds a rate near the knee of the configuration that is applied.
    pub(super) fn find_rate(&mut self, sizes: &Sizes, seed: u64) -> anyhow::Result<()> {
        let closed = self.trials.probe(PROBE_CONNECTIONS, self.step)?;
        say(format_args!(
            "closed probe: {closed:.0} requests a second over {PROBE_CONNECTIONS} connections"
        ));
        let mut search = KneeSearch::begin(closed / 2.0, 0, seed);
        for _ in 0..KNEE_TRIALS_MAX {
            let Some(rate) = search.next().filter(|_| self.may_go_on()) else {
                break;
            };
            let held = self.trial(sizes, rate)?.standing == Standing::Held;
            search.add(rate, held);
        }
        // Where nothing is held, the least rate that was tried shows what would be better.
        let least = || self.samples.iter().map(|sample| sample.trial.rate);
        let least = least().fold(f64::INFINITY, f64::min);
        let rate = search.estimate().map_or(least, |estimate| estimate.rate);
        self.falls = search.estimate().is_some();
        // Without any trial, after Ctrl-C, there is no rate.
        self.rate = if rate.is_finite() { NEAR * rate } else { 0.0 };
        self.rises = true;
        Ok(())
    }

    /// The cost of a trial: its p99 in microseconds, where failed requests count as long as one waits for an answer.
    pub(super) fn cost(&self, trial: &Trial) -> f64 {
        trial.p99_us.map_or(self.timeout_us, |p99| p99 as f64)
    }

    /// One more trial of a configuration at the rate of the moment, whatever the reserve.
    pub(super) fn again(&mut self, sizes: &Sizes) -> anyhow::Result<f64> {
        let trial = self.trial(sizes, self.rate)?;
        Ok(self.cost(&trial))
    }

    /// Whether most trials of a configuration miss the objective at the rate of the moment; not where the budget ends first.
    fn misses(&mut self, sizes: &Sizes) -> anyhow::Result<bool> {
        let (mut held, mut missed) = (0, 0);
        for _ in 0..TRIALS_TO_HOLD {
            if held > TRIALS_TO_HOLD / 2 || missed > TRIALS_TO_HOLD / 2 || !self.may_go_on() {
                break;
            }
            match self.trial(sizes, self.rate)?.standing {
                Standing::Held => held += 1,
                Standing::Missed => missed += 1,
                Standing::Undecided => {}
            }
        }
        Ok(missed > TRIALS_TO_HOLD / 2)
    }

    /// Hears that the stack was given these sizes by another way.
    pub(super) fn is_given(&mut self, sizes: Sizes) {
        self.applied = Some(sizes);
    }

    pub(super) fn may_go_on(&self) -> bool {
        !self.trials.is_stopped() && self.budget.fits(1 + self.reserve)
    }

    fn trial(&mut self, sizes: &Sizes, rate: f64) -> anyhow::Result<Trial> {
        let began = Instant::now();
        if self.applied != Some(*sizes) {
            // Whatever goes wrong on the way, it no longer has the old ones.
            self.applied = None;
            self.rig.apply(sizes)?;
            self.trials.target = self.rig.target()?.reach()?;
            self.trials.admin = self.rig.admin();
            self.applied = Some(*sizes);
        }
        let trial = self.trials.measure(rate, self.step)?;
        self.budget.took(began.elapsed());
        say(format_args!(
            "{:>4}. {sizes:<40} {}  ({} left)",
            self.samples.len() + 1,
            line(&trial),
            self.budget.show_left()
        ));
        self.samples.push(Sample {
            sizes: *sizes,
            trial: trial.clone(),
        });
        Ok(trial)
    }
}

impl Surface for Measured {
    fn measure(&mut self, sizes: &Sizes) -> anyhow::Result<Option<f64>> {
        if !self.may_go_on() {
            return Ok(None);
        }
        self.again(sizes).map(Some)
    }

    /// The rate falls while this configuration misses the objective: a table that grows makes searches dearer.
    fn is_reference(&mut self, sizes: &Sizes) -> anyhow::Result<()> {
        if !self.falls {
            return Ok(());
        }
        for _ in 0..GROWTHS_MAX {
            if !self.misses(sizes)? {
                break;
            }
            self.rate /= GROWTH;
            say(format_args!(
                "{sizes} no longer holds the load; now {:.0} requests a second",
                self.rate
            ));
        }
        Ok(())
    }

    /// A better configuration is measured nearer to its own knee.
    fn moved_to(&mut self, sizes: &Sizes) -> anyhow::Result<()> {
        say(format_args!("better: {sizes}"));
        if self.moves == 0 {
            self.reserve += 2 * PAIRS_AGAIN;
        }
        self.moves += 1;
        if !self.rises {
            return Ok(());
        }
        for _ in 0..GROWTHS_MAX {
            let higher = self.rate * GROWTH;
            if !self.may_go_on() || self.trial(sizes, higher)?.standing != Standing::Held {
                break;
            }
            self.rate = higher;
        }
        Ok(())
    }
}
