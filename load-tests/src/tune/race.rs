//! The search: rounds of successive halving among the neighbours of the best configuration so far, each in random order,
//! with a move only where fresh pairs prove it; at the end, back to the smallest sizes that are as good.
//!
//! It knows costs (lower is better; a latency) and no clocks, so that tests run it on surfaces of their own.

use std::collections::BTreeMap;

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::moves::{neighbours, smaller};
use super::noise::{LEAST, is_as_good, is_better, is_within_noise, shares};
use super::sizes::{Size, Sizes};
use crate::schedule::stream;

/// Measurements of the best so far in the first rung of a round.
const CONTROLS: usize = 3;
/// Pairs that prove a move.
pub(super) const PROOFS: usize = 5;
/// Pairs after which a candidate that is not even better on average is given up.
const PROOFS_LEAST: usize = 3;
/// Pairs at the most that decide on a step back to a smaller size.
const PROOFS_OF_A_STEP: usize = 2 * PROOFS;
/// Moves of a search at the most.
const MOVES_MAX: usize = 8;

/// What the search asks.
pub(super) trait Surface {
    /// The cost of a configuration, measured once more; none when the budget is over.
    fn measure(&mut self, sizes: &Sizes) -> anyhow::Result<Option<f64>>;
    /// Hears that costs are about to be compared with those of this one, which must hold the load: how long requests wait
    /// above it says nothing of sizes.
    fn is_reference(&mut self, sizes: &Sizes) -> anyhow::Result<()>;
    /// Hears that the search moves on to a better one, whose costs are then measured under a load of their own.
    fn moved_to(&mut self, sizes: &Sizes) -> anyhow::Result<()>;
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// No neighbour is better, beyond chance and the least difference.
    NothingBetter,
    /// The budget ended first.
    BudgetEnded,
}

/// A step of the search that was proved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// What it is compared with.
    pub from: Sizes,
    /// The candidate.
    pub to: Sizes,
    /// Its cost as a share of the other's, as the geometric mean of the pairs.
    pub ratio: f64,
    /// The ends of its 95 % interval.
    pub interval: (f64, f64),
    /// Whether it was taken.
    pub taken: bool,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// The smallest sizes within noise of the best; the first ones where nothing is better.
    pub(super) chosen: Sizes,
    pub(super) ending: Ending,
    pub(super) proofs: Vec<Proof>,
}

impl Found {
    /// What a search found that ended in an error.
    pub(super) fn nothing(chosen: Sizes) -> Found {
        Found {
            chosen,
            ending: Ending::BudgetEnded,
            proofs: Vec::new(),
        }
    }
}

/// The search's own end, inside of it.
enum Halt {
    BudgetEnded,
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Halt {
    fn from(error: anyhow::Error) -> Halt {
        Halt::Failed(error)
    }
}

struct Race<'s> {
    surface: &'s mut dyn Surface,
    random: Pcg64Mcg,
    proofs: Vec<Proof>,
    /// Candidates that were proved to be no better; they are not tried again.
    refused: Vec<Sizes>,
}

/// Searches from these sizes.
///
/// # Errors
/// When a configuration cannot be measured.
pub(super) fn search(surface: &mut dyn Surface, start: Sizes, seed: u64) -> anyhow::Result<Found> {
    let mut race = Race {
        surface,
        random: stream(seed, u64::MAX, 1),
        proofs: Vec::new(),
        refused: Vec::new(),
    };
    let mut best = start;
    let ending = match race
        .climb(&mut best)
        .and_then(|()| race.shrink(&mut best, &start))
    {
        Ok(()) => Ending::NothingBetter,
        Err(Halt::BudgetEnded) => Ending::BudgetEnded,
        Err(Halt::Failed(error)) => return Err(error),
    };
    Ok(Found {
        chosen: best,
        ending,
        proofs: race.proofs,
    })
}

impl Race<'_> {
    /// Moves while a neighbour is proved to be better.
    fn climb(&mut self, best: &mut Sizes) -> Result<(), Halt> {
        for _ in 0..MOVES_MAX {
            self.surface.is_reference(best)?;
            let mut candidates = neighbours(best);
            candidates.retain(|sizes| !self.refused.contains(sizes));
            let promising = self.halve(best, candidates)?;
            let mut moved = false;
            for candidate in promising {
                if self.prove(best, &candidate)? {
                    self.surface.moved_to(&candidate)?;
                    // What was no better than the last may be better than this one.
                    self.refused = vec![*best];
                    *best = candidate;
                    moved = true;
                    break;
                }
                self.refused.push(candidate);
            }
            if !moved {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Successive halving: each candidate once, the better third of them twice more; the two that then look better than
    /// the best so far, the better first.
    fn halve(&mut self, best: &Sizes, candidates: Vec<Sizes>) -> Result<Vec<Sizes>, Halt> {
        let mut costs: BTreeMap<Sizes, Vec<f64>> = BTreeMap::new();
        self.rung(&mut costs, &candidates, 1, best, CONTROLS)?;
        let mut alive = candidates;
        alive.sort_by(|a, b| mean(&costs[a]).total_cmp(&mean(&costs[b])));
        alive.truncate(alive.len().div_ceil(3));
        self.rung(&mut costs, &alive, 2, best, 2)?;
        alive.sort_by(|a, b| mean(&costs[a]).total_cmp(&mean(&costs[b])));
        let limit = mean(&costs[best]) + (1.0 - LEAST).ln();
        alive.retain(|sizes| mean(&costs[sizes]) < limit);
        alive.truncate(2);
        Ok(alive)
    }

    /// Measures each so often, in random order.
    fn rung(
        &mut self,
        costs: &mut BTreeMap<Sizes, Vec<f64>>,
        candidates: &[Sizes],
        times: usize,
        best: &Sizes,
        controls: usize,
    ) -> Result<(), Halt> {
        let each = candidates
            .iter()
            .flat_map(|sizes| std::iter::repeat_n(*sizes, times));
        let mut order: Vec<Sizes> = each.chain(std::iter::repeat_n(*best, controls)).collect();
        for place in (1..order.len()).rev() {
            let other = self.random.random_range(0..=place);
            order.swap(place, other);
        }
        for sizes in order {
            let cost = self.log_cost(&sizes)?;
            costs.entry(sizes).or_default().push(cost);
        }
        Ok(())
    }

    /// Whether fresh pairs prove a candidate to be better: those that chose it would flatter it.
    fn prove(&mut self, best: &Sizes, candidate: &Sizes) -> Result<bool, Halt> {
        let mut ratios = Vec::new();
        for pair in 0..PROOFS {
            ratios.push(self.pair(best, candidate, pair)?);
            if pair + 1 >= PROOFS_LEAST && mean(&ratios) > 0.0 {
                break;
            }
        }
        let (ratio, interval) = shares(&ratios);
        let taken = ratios.len() == PROOFS && is_better(ratio, interval);
        self.note(best, candidate, (ratio, interval), taken);
        Ok(taken)
    }

    /// Steps back to the smallest sizes, from the first ones on, that are within noise of the best.
    fn shrink(&mut self, best: &mut Sizes, start: &Sizes) -> Result<(), Halt> {
        let reference = *best;
        if reference != *start {
            self.surface.is_reference(&reference)?;
        }
        for size in Size::ALL {
            for value in smaller(&reference, start, size) {
                let candidate = best.with(size, value);
                if self.prove_step(&reference, &candidate)? {
                    *best = candidate;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether fresh pairs show a smaller candidate to be within noise of the best. What those that prove a move leave open,
    /// as many more decide.
    fn prove_step(&mut self, best: &Sizes, candidate: &Sizes) -> Result<bool, Halt> {
        let mut ratios = Vec::new();
        for pair in 0..PROOFS_OF_A_STEP {
            ratios.push(self.pair(best, candidate, pair)?);
            let is_given_up = ratios.len() >= PROOFS_LEAST && mean(&ratios) > (1.0 + LEAST).ln();
            if is_given_up || ratios.len() == PROOFS && is_as_good(shares(&ratios).1) {
                break;
            }
        }
        let (ratio, interval) = shares(&ratios);
        let taken = is_within_noise(ratio, interval);
        self.note(best, candidate, (ratio, interval), taken);
        Ok(taken)
    }

    /// The logarithm of a candidate's cost over that of the best, measured one after the other, in turn either first.
    fn pair(&mut self, best: &Sizes, candidate: &Sizes, pair: usize) -> Result<f64, Halt> {
        let first = self.log_cost(if pair.is_multiple_of(2) {
            best
        } else {
            candidate
        })?;
        let second = self.log_cost(if pair.is_multiple_of(2) {
            candidate
        } else {
            best
        })?;
        Ok(if pair.is_multiple_of(2) {
            second - first
        } else {
            first - second
        })
    }

    fn log_cost(&mut self, sizes: &Sizes) -> Result<f64, Halt> {
        let cost = self.surface.measure(sizes)?.ok_or(Halt::BudgetEnded)?;
        Ok(cost.max(1.0).ln())
    }

    fn note(
        &mut self,
        from: &Sizes,
        to: &Sizes,
        (ratio, interval): (f64, (f64, f64)),
        taken: bool,
    ) {
        self.proofs.push(Proof {
            from: *from,
            to: *to,
            ratio,
            interval,
            taken,
        });
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests;
