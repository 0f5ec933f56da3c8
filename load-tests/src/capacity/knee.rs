//! The search for the knee: doubling, bisection, then repeats in random order around the best estimate. It decides on
//! rates alone, and never asks a clock.

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use crate::schedule::stream;

/// A bracket whose ends are this close is not divided further: the noise of one trial is greater.
const RATIO_CLOSE: f64 = 1.06;
/// The rates of a round of repeats, as multiples of the estimate.
const AROUND: [f64; 3] = [0.9, 1.0, 1.1];
/// An estimate that moves by more than this share has moved.
const MOVE: f64 = 0.05;
/// No rate below this is tried: one request in two seconds says nothing.
const RATE_MIN: f64 = 0.5;

/// Trials so far, and which rate is to be tried next.
pub(crate) struct KneeSearch {
    /// Each rate that was tried, and whether it held.
    tried: Vec<(f64, bool)>,
    start: f64,
    rounds_left: u32,
    /// Further rounds, for those that moved the estimate.
    rounds_spare: u32,
    /// The estimate around which the last round was.
    center: Option<f64>,
    /// The rest of a round.
    round: Vec<f64>,
    random: Pcg64Mcg,
}

/// Where trials that held end, and those that missed begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    /// The greatest rate that held, below the cut that contradicts the fewest trials.
    pub(crate) rate: f64,
    /// The greatest rate up to which every trial held; none where the least already missed.
    pub(crate) low: Option<f64>,
    /// The least rate from which on every trial missed; none where the greatest still held.
    pub(crate) high: Option<f64>,
}

impl KneeSearch {
    /// A search that begins at `start`, and repeats the rates around its estimate `rounds` times.
    pub(crate) fn begin(start: f64, rounds: u32, seed: u64) -> KneeSearch {
        KneeSearch {
            tried: Vec::new(),
            start: start.max(RATE_MIN),
            rounds_left: rounds,
            rounds_spare: rounds.saturating_mul(2),
            center: None,
            round: Vec::new(),
            random: stream(seed, u64::MAX, 0),
        }
    }

    /// Notes what a trial said.
    pub(crate) fn add(&mut self, rate: f64, held: bool) {
        self.tried.push((rate, held));
    }

    /// The rate of the next trial; none when the search is over.
    pub(crate) fn next(&mut self) -> Option<f64> {
        if let Some(rate) = self.round.pop() {
            return Some(rate);
        }
        if self.tried.is_empty() {
            return Some(self.start);
        }
        match self.bracket() {
            (Some(held), None) => Some(held * 2.0),
            (None, Some(missed)) => (missed / 2.0 >= RATE_MIN).then_some(missed / 2.0),
            (Some(held), Some(missed)) if missed / held > RATIO_CLOSE && self.is_dividing() => {
                Some((held * missed).sqrt())
            }
            (Some(held), Some(_)) => self.begin_round(held),
            (None, None) => None,
        }
    }

    /// The estimate; none where nothing held.
    pub(crate) fn estimate(&self) -> Option<Estimate> {
        let rate = self.bracket().0?;
        let missed = || self.tried.iter().filter(|(_, held)| !held);
        let held = || self.tried.iter().filter(|(_, held)| *held);
        let least_missed = missed()
            .map(|(rate, _)| *rate)
            .fold(f64::INFINITY, f64::min);
        let most_held = held().map(|(rate, _)| *rate).fold(0.0, f64::max);
        let low = held()
            .map(|(rate, _)| *rate)
            .filter(|rate| *rate < least_missed);
        let high = missed()
            .map(|(rate, _)| *rate)
            .filter(|rate| *rate > most_held);
        Some(Estimate {
            rate,
            low: low.max_by(f64::total_cmp),
            high: high.min_by(f64::total_cmp),
        })
    }

    /// Whether no rate was repeated yet: what a repeat says is not divided further.
    fn is_dividing(&self) -> bool {
        let mut rates: Vec<f64> = self.tried.iter().map(|(rate, _)| *rate).collect();
        rates.sort_by(f64::total_cmp);
        let all = rates.len();
        rates.dedup();
        rates.len() == all
    }

    /// The greatest rate that held below the best cut, and the least that missed above it. The best cut contradicts the
    /// fewest trials; of several, the one in the middle.
    fn bracket(&self) -> (Option<f64>, Option<f64>) {
        let mut sorted = self.tried.clone();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Equal rates stay on one side of a cut.
        let is_cut = |place: usize| {
            place == 0 || place == sorted.len() || sorted[place - 1].0 < sorted[place].0
        };
        let errors = |place: usize| {
            let below = sorted[..place].iter().filter(|(_, held)| !held).count();
            below + sorted[place..].iter().filter(|(_, held)| *held).count()
        };
        let cuts: Vec<usize> = (0..=sorted.len()).filter(|place| is_cut(*place)).collect();
        let fewest = cuts.iter().map(|place| errors(*place)).min();
        let best: Vec<usize> = (cuts.into_iter())
            .filter(|place| Some(errors(*place)) == fewest)
            .collect();
        let cut = best.get(best.len() / 2).copied().unwrap_or_default();
        let below = sorted[..cut].iter().rev().find(|(_, held)| *held);
        let above = sorted[cut..].iter().find(|(_, held)| !held);
        (below.map(|(rate, _)| *rate), above.map(|(rate, _)| *rate))
    }

    /// The rates around the estimate, in random order, so that a slow minute does not always hit the same.
    fn begin_round(&mut self, estimate: f64) -> Option<f64> {
        let center = self.center.replace(estimate);
        // A round that moved the estimate says little about the new one.
        let has_moved = center.is_some_and(|center| (estimate / center).ln().abs() > MOVE);
        match self.rounds_spare.checked_sub(1).filter(|_| has_moved) {
            Some(spare) => self.rounds_spare = spare,
            None => self.rounds_left = self.rounds_left.checked_sub(1)?,
        }
        self.round = AROUND.iter().map(|times| estimate * times).collect();
        for place in (1..self.round.len()).rev() {
            let other = self.random.random_range(0..=place);
            self.round.swap(place, other);
        }
        self.round.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that holds any rate below `knee`, whose every trial sees another knee within `noise` of it.
    fn search(knee: f64, noise: f64, start: f64, seed: u64) -> (KneeSearch, usize) {
        let mut search = KneeSearch::begin(start, 3, seed);
        let mut random = stream(seed, 7, 7);
        let mut trials = 0;
        while let Some(rate) = search.next() {
            let shift = 1.0 + noise * (random.random::<f64>() * 2.0 - 1.0);
            search.add(rate, rate <= knee * shift);
            trials += 1;
            assert!(trials < 60, "it does not end");
        }
        (search, trials)
    }

    #[test]
    fn a_sharp_knee_is_found_from_any_start() {
        for start in [3.0, 90.0, 1000.0, 50_000.0] {
            let (found, trials) = search(1234.0, 0.0, start, 1);
            let estimate = found.estimate().expect("it held somewhere");
            assert!(
                (1234.0 / 1.06..=1234.0).contains(&estimate.rate),
                "{estimate:?}"
            );
            assert!(estimate.low.is_some_and(|low| low == estimate.rate));
            assert!(estimate.high.is_some_and(|high| high > 1234.0));
            assert!(trials < 30, "{trials} trials from {start}");
        }
    }

    #[test]
    fn noise_widens_the_interval_and_two_searches_still_agree() {
        let rates: Vec<f64> = (0..200)
            .map(|seed| {
                let (found, _) = search(800.0, 0.1, 500.0, seed);
                let estimate = found.estimate().expect("it held somewhere");
                assert!(estimate.low.is_none_or(|low| low <= estimate.rate));
                assert!(estimate.high.is_none_or(|high| high >= estimate.rate));
                estimate.rate
            })
            .collect();
        let near = rates
            .iter()
            .filter(|rate| (rate.ln() - 800_f64.ln()).abs() < 0.14);
        assert!(near.count() >= 190, "{rates:?}");
    }

    #[test]
    fn a_server_that_holds_nothing_ends_the_search() {
        let (found, trials) = search(0.0, 0.0, 100.0, 1);
        assert_eq!(found.estimate(), None);
        assert!(trials < 12, "{trials}");
    }
}
