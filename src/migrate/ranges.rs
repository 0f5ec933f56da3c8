//! Ranges of ids, and a digest of the rows of each: where the digests of both sides are equal, so are the rows, and only the
//! other ranges are read again, row by row.
//!
//! A digest is the number of rows and the sum of their hashes, so rows may come in any order: neither side sorts, and each
//! is read once, in the order in which it stands.

use uuid::Uuid;

/// Rows of a file for each range: so few that one row which differs has few others read again.
const ROWS_OF_A_RANGE: u64 = 1000;
/// Most ranges: 256 KiB of ids, and as much of digests on each side.
const RANGES_MAX: u64 = 16_384;
/// Most intervals that are told apart; scattered over more, the differing rows are all over the table.
const INTERVALS_MAX: usize = 64;

/// How many ids to draw as bounds for so many rows.
pub(super) fn bounds_for(rows: u64) -> u64 {
    (rows / ROWS_OF_A_RANGE).min(RANGES_MAX)
}

/// The ranges of the ids of a file.
#[derive(Debug)]
pub(super) struct Ranges {
    /// The first id of each range but the lowest, ascending.
    bounds: Vec<Uuid>,
    /// The greatest id of the file: what is above is in PostgreSQL alone.
    last: Uuid,
}

/// Digests of all ranges, on one side.
#[derive(Debug)]
pub(super) struct Digests(Vec<Digest>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Digest {
    rows: u64,
    sum: u64,
}

/// Ids from the first to the second, both included.
pub(super) type Interval = (Uuid, Uuid);

impl Ranges {
    pub(super) fn new(mut bounds: Vec<Uuid>, last: Uuid) -> Self {
        bounds.sort_unstable();
        bounds.dedup();
        // The lowest range begins with the lowest id there can be.
        bounds.retain(|bound| !bound.is_nil());
        Self { bounds, last }
    }

    pub(super) fn last(&self) -> Uuid {
        self.last
    }

    pub(super) fn digests(&self) -> Digests {
        Digests(vec![Digest::default(); self.bounds.len() + 1])
    }

    /// Adds a row to the digest of its range.
    pub(super) fn add(&self, digests: &mut Digests, id: Uuid, hash: u64) {
        let range = self.bounds.partition_point(|bound| *bound <= id);
        let digest = &mut digests.0[range];
        digest.rows += 1;
        digest.sum = digest.sum.wrapping_add(hash);
    }

    /// The ids among which rows differ; neighbouring ranges make one interval.
    pub(super) fn differing(&self, file: &Digests, stored: &Digests) -> Vec<Interval> {
        let mut intervals: Vec<(usize, usize)> = Vec::new();
        for (range, (ours, theirs)) in file.0.iter().zip(&stored.0).enumerate() {
            match intervals.last_mut() {
                _ if ours == theirs => {}
                Some((_, end)) if *end + 1 == range => *end = range,
                _ => intervals.push((range, range)),
            }
        }
        if intervals.len() > INTERVALS_MAX {
            intervals = vec![(intervals[0].0, intervals[intervals.len() - 1].1)];
        }
        intervals
            .into_iter()
            .map(|(from, to)| (self.first_of(from), self.last_of(to)))
            .collect()
    }

    /// The rows of one side that intervals of [`Ranges::differing`] hold.
    pub(super) fn rows_within(&self, digests: &Digests, intervals: &[Interval]) -> u64 {
        let of = |(range, digest): (usize, &Digest)| {
            let first = self.first_of(range);
            let is_within = intervals
                .iter()
                .any(|(from, to)| (from..=to).contains(&&first));
            if is_within { digest.rows } else { 0 }
        };
        digests.0.iter().enumerate().map(of).sum()
    }

    fn first_of(&self, range: usize) -> Uuid {
        match range.checked_sub(1) {
            None => Uuid::nil(),
            Some(bound) => self.bounds[bound],
        }
    }

    fn last_of(&self, range: usize) -> Uuid {
        match self.bounds.get(range) {
            None => self.last,
            Some(above) => Uuid::from_u128(above.as_u128() - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn digests(ranges: &Ranges, ids: &[u128]) -> Digests {
        let mut digests = ranges.digests();
        for number in ids {
            ranges.add(&mut digests, id(*number), *number as u64);
        }
        digests
    }

    #[test]
    fn differing_ranges_are_found_and_neighbours_joined() {
        let ranges = Ranges::new(vec![id(30), id(10), id(0), id(20), id(10)], id(35));
        let file = digests(&ranges, &[1, 10, 11, 25, 35]);
        for (stored, expected) in [
            (&[35, 25, 11, 10, 1][..], vec![]),
            (&[10, 11, 25, 35], vec![(0, 9)]),
            (&[1, 10, 12, 25, 35], vec![(10, 19)]),
            (&[1, 10, 11, 25, 35, 0], vec![(0, 9)]),
            (&[1, 10, 25, 26], vec![(10, 35)]),
            (&[], vec![(0, 35)]),
        ] {
            let expected: Vec<Interval> = expected
                .into_iter()
                .map(|(from, to)| (id(from), id(to)))
                .collect();
            let found = ranges.differing(&file, &digests(&ranges, stored));
            assert_eq!(found, expected, "{stored:?}");
            let ids = [1, 10, 11, 25, 35].into_iter().filter(|number| {
                expected
                    .iter()
                    .any(|(from, to)| (*from..=*to).contains(&id(*number)))
            });
            assert_eq!(ranges.rows_within(&file, &expected), ids.count() as u64);
        }
    }

    #[test]
    fn scattered_differences_are_one_interval() {
        let bounds: Vec<Uuid> = (1..1000).map(|n| id(n * 10)).collect();
        let ranges = Ranges::new(bounds, id(10_000));
        let stored: Vec<u128> = (100..200).map(|n| n * 20).collect();
        let found = ranges.differing(&digests(&ranges, &[]), &digests(&ranges, &stored));
        assert_eq!(found, [(id(2000), id(3989))]);
    }
}
