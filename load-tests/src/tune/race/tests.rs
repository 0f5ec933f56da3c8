//! The decisions of the search on surfaces whose optimum is known, through noise.

use rand::RngExt;

use super::super::sizes::{Size, Sizes};
use super::*;

/// A cost by formula, with noise and now and then a minute in which the machine was busy with something else.
struct Synthetic<F> {
    cost: F,
    /// Standard deviation of the logarithm.
    noise: f64,
    random: Pcg64Mcg,
    left: u32,
    references: Vec<Sizes>,
}

impl<F: Fn(&Sizes) -> f64> Surface for Synthetic<F> {
    fn is_reference(&mut self, sizes: &Sizes) -> anyhow::Result<()> {
        self.references.push(*sizes);
        Ok(())
    }

    fn measure(&mut self, sizes: &Sizes) -> anyhow::Result<Option<f64>> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        // The sum of twelve is nearly normal.
        let sum: f64 = (0..12).map(|_| self.random.random::<f64>()).sum();
        let busy = match self.random.random::<f64>() < 0.02 {
            true => 3.0,
            false => 1.0,
        };
        Ok(Some(
            (self.cost)(sizes) * busy * (self.noise * (sum - 6.0)).exp(),
        ))
    }

    fn moved_to(&mut self, _: &Sizes) -> anyhow::Result<()> {
        Ok(())
    }
}

fn run(start: Sizes, noise: f64, seed: u64, cost: impl Fn(&Sizes) -> f64) -> Found {
    let mut surface = Synthetic {
        cost,
        noise,
        random: stream(seed, 3, 3),
        left: 400,
        references: Vec::new(),
    };
    let found = search(&mut surface, start, seed).expect("nothing fails");
    // Whatever costs are compared with was asked before whether it holds the load.
    let was_asked = |proof: &Proof| surface.references.contains(&proof.from);
    assert!(surface.references.first() == Some(&start) && found.proofs.iter().all(was_asked));
    found
}

fn steps(a: u32, b: u32) -> f64 {
    (f64::from(a) / f64::from(b)).log2().abs()
}

fn count(seeds: u64, held: impl Fn(u64) -> bool) -> usize {
    (0..seeds).filter(|seed| held(*seed)).count()
}

#[test]
fn a_flat_surface_is_left_as_it_is() {
    let start = Sizes::of_cores(2);
    for noise in [0.02, 0.2, 0.5] {
        let left = count(200, |seed| {
            let found = run(start, noise, seed, |_| 5_000.0);
            found.chosen == start && found.ending == Ending::NothingBetter
        });
        assert!(left >= 190, "{left} of 200 at noise {noise}");
    }
}

#[test]
fn a_peak_is_found_within_one_step() {
    let start = Sizes::of_cores(2);
    for peak in [
        Sizes::of_workers(24).with_derived_pooler(),
        start.with(Size::Create, 16),
        Sizes::of_workers(3).with_derived_pooler(),
        start.with(Size::Pooler, 2),
        start.with(Size::Batch, 8),
    ] {
        // Half a factor of e for each factor of 2; a pool is as good as another while neither binds.
        let binding = |sizes: &Sizes| sizes.pooler.min(sizes.connections());
        let distance = move |sizes: &Sizes| {
            let lanes = Size::LANES.into_iter();
            lanes
                .map(|lane| steps(sizes.get(lane), peak.get(lane)))
                .sum::<f64>()
                + steps(sizes.batch_max, peak.batch_max)
                + steps(binding(sizes), binding(&peak))
        };
        let near = count(50, |seed| {
            let found = run(start, 0.1, seed, |sizes| {
                2_000.0 * (0.5 * distance(sizes)).exp()
            });
            let mut lanes = Size::LANES.into_iter();
            lanes.all(|lane| steps(found.chosen.get(lane), peak.get(lane)) <= 1.0)
                && steps(found.chosen.batch_max, peak.batch_max) <= 2.0
                && steps(binding(&found.chosen), binding(&peak)) <= 1.0
        });
        assert!(near >= 40, "{near} of 50 near {peak}");
    }
}

/// Each lane has work for so many workers; a lane near that waits as a queue does, and more workers than a few times
/// that change nothing.
fn queue(sizes: &Sizes, busy: [f64; 3]) -> f64 {
    let pooled = f64::from(sizes.pooler) / f64::from(sizes.workers());
    let worst = Size::LANES.iter().zip(busy).map(|(lane, busy)| {
        let load = busy / (f64::from(sizes.get(*lane)) * pooled.min(1.0));
        if load < 1.0 {
            1.0 / (1.0 - load)
        } else {
            1_000.0 * load
        }
    });
    5_000.0 * worst.fold(1.0, f64::max)
}

#[test]
fn where_more_changes_nothing_the_smallest_are_chosen() {
    let start = Sizes::of_workers(3).with_derived_pooler();
    let enough = count(50, |seed| {
        let found = run(start, 0.1, seed, |sizes| queue(sizes, [3.0, 0.2, 0.2]));
        // 3 busy: 4 would wait four times as long as idle, 64 are nothing but more.
        (8..=32).contains(&found.chosen.create)
            && found.chosen.find <= 4
            && found.chosen.search <= 4
    });
    assert!(enough >= 40, "{enough} of 50");
}

/// Four workers that create cost a quarter more than eight, eight as much as sixteen and more.
fn stair(sizes: &Sizes) -> f64 {
    match sizes.create {
        0..=2 => 16_000.0,
        3..=4 => 5_000.0,
        _ => 4_000.0,
    }
}

#[test]
fn a_step_back_that_costs_more_is_not_taken_by_luck() {
    let start = Sizes::of_workers(6).with_derived_pooler();
    for noise in [0.05, 0.15, 0.3] {
        let (mut tried, mut worse, mut alike) = (0, 0, 0);
        for seed in 0..200 {
            let proofs = run(start, noise, seed, stair).proofs;
            let back = |proof: &&Proof| proof.to.workers() < proof.from.workers();
            for proof in proofs.iter().filter(back) {
                let costs = [proof.from, proof.to].map(|sizes| stair(&sizes));
                tried += usize::from(costs == [4_000.0, 5_000.0]);
                worse += usize::from(costs == [4_000.0, 5_000.0] && proof.taken);
                alike += usize::from(costs[0] == costs[1] && proof.taken);
            }
        }
        assert!(tried > 50, "{tried} at noise {noise}");
        assert!(worse * 10 <= tried, "{worse} of {tried} at noise {noise}");
        // Where the noise allows for it, what costs the same is taken.
        assert!(noise > 0.05 || alike > 100, "{alike} at noise {noise}");
    }
}

#[test]
fn workers_and_pool_that_both_bind_grow_together() {
    let start = Sizes::of_workers(6).with(Size::Pooler, 6);
    let grown = count(50, |seed| {
        let found = run(start, 0.1, seed, |sizes| queue(sizes, [3.0, 3.0, 3.0]));
        found.chosen.workers() >= 12 && found.chosen.pooler >= 12
    });
    assert!(grown >= 45, "{grown} of 50");
}

#[test]
fn a_seed_decides_everything_and_a_budget_ends_it() {
    let start = Sizes::of_cores(2);
    let cost = |sizes: &Sizes| 1e6 / f64::from(sizes.workers());
    assert_eq!(run(start, 0.3, 7, cost), run(start, 0.3, 7, cost));
    let mut surface = Synthetic {
        cost,
        noise: 0.1,
        random: stream(1, 1, 1),
        left: 10,
        references: Vec::new(),
    };
    let found = search(&mut surface, start, 1).expect("nothing fails");
    assert_eq!((found.chosen, found.ending), (start, Ending::BudgetEnded));
}
