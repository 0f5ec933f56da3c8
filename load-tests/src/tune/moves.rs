//! The neighbours of a configuration: what a round of the search tries instead.

use super::sizes::{Size, Sizes};

/// The configurations one or two steps away: all lanes together, each lane, the largest batch, PgBouncer's pool, and
/// workers and pool together, since either alone changes nothing where both bind.
pub(super) fn neighbours(from: &Sizes) -> Vec<Sizes> {
    let mut found: Vec<Sizes> = Vec::new();
    let mut add = |sizes: Sizes| {
        if sizes != *from && sizes.is_allowed() && !found.contains(&sizes) {
            found.push(sizes);
        }
    };
    for (times, by) in [(4, 1), (2, 1), (1, 2)] {
        let lanes = Size::LANES.into_iter();
        let all = lanes.fold(*from, |sizes, lane| scaled(sizes, lane, times, by));
        add(room(from, all));
        let pool = scaled(all, Size::Pooler, times, by);
        if from.pooler < from.connections() {
            add(pool);
        }
    }
    for lane in Size::LANES {
        for (times, by) in [(2, 1), (1, 2)] {
            add(room(from, scaled(*from, lane, times, by)));
        }
    }
    for (times, by) in [(4, 1), (1, 4)] {
        add(scaled(*from, Size::Batch, times, by));
    }
    // A pool that is larger than r2d2 never binds: steps down begin where it does.
    let binding = from.pooler.min(from.connections());
    for by in [2, 4] {
        add(from.with(Size::Pooler, binding / by));
    }
    if from.pooler < from.connections() {
        for times in [2, 4] {
            add(scaled(*from, Size::Pooler, times, 1));
        }
    }
    found
}

/// The values of a size between another configuration's and this one's, the other's first, each twice the one before.
pub(super) fn smaller(this: &Sizes, than: &Sizes, size: Size) -> Vec<u32> {
    let most = this.get(size);
    let doubled = std::iter::successors(Some(than.get(size)), |value| value.checked_mul(2));
    doubled.take_while(|value| *value < most).collect()
}

fn scaled(sizes: Sizes, size: Size, times: u32, by: u32) -> Sizes {
    sizes.with(size, sizes.get(size) * times / by)
}

/// More workers with room for them in PgBouncer, where there was room before.
fn room(from: &Sizes, to: Sizes) -> Sizes {
    if from.pooler >= from.connections() && to.pooler < to.connections() {
        return to.with(Size::Pooler, to.connections());
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_neighbour_can_start_and_differs() {
        for total in [3, 6, 12, 48, 90] {
            for pooler in [2, 8, 50] {
                let from = Sizes::of_workers(total).with(Size::Pooler, pooler);
                let all = neighbours(&from);
                assert!((6..=20).contains(&all.len()), "{from}: {}", all.len());
                for sizes in &all {
                    assert!(sizes.is_allowed() && *sizes != from);
                    let had_room = from.pooler >= from.connections();
                    let workers_only =
                        sizes.pooler >= from.pooler && sizes.workers() > from.workers();
                    assert!(!had_room || !workers_only || sizes.pooler >= sizes.connections());
                }
            }
        }
    }

    #[test]
    fn smaller_ones_lie_between_the_two() {
        let start = Sizes::of_workers(6).with_derived_pooler();
        let best = start.with(Size::Create, 16).with(Size::Batch, 32);
        assert_eq!(smaller(&best, &start, Size::Create), [2, 4, 8]);
        for unchanged in [Size::Find, Size::Batch, Size::Pooler] {
            assert!(smaller(&best, &start, unchanged).is_empty());
        }
    }
}
