//! The points of a sweep: what all rounds measured of each.

use std::collections::BTreeMap;

use serde::Serialize;

use super::visit::{Visit, way};
use crate::compare::geometric_mean;

/// One combination of servers and pool.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    /// Servers.
    pub servers: u32,
    /// Connections of PgBouncer to PostgreSQL; none without PgBouncer.
    pub pool: Option<u32>,
    /// Most connections of the servers that PostgreSQL had.
    pub connections: u32,
    /// Requests a second, as many as were to be had.
    pub rate: Spread,
    /// Latency at 99 %, at the rate of the open runs, in microseconds.
    pub p99_us: Spread,
    /// The mean share that was answered as prescribed at that rate.
    pub success: f64,
    /// Acknowledged writes that were read back; none was lost.
    pub read_back: u64,
}

/// A figure over all rounds.
#[derive(Clone, Debug, Serialize)]
pub struct Spread {
    /// The middle one.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// One for each round.
    pub values: Vec<f64>,
}

impl Point {
    /// The way from the servers to PostgreSQL, for reading.
    pub fn way(&self) -> String {
        way(self.pool)
    }
}

impl Spread {
    pub(super) fn of(values: Vec<f64>) -> Spread {
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |place: usize| sorted.get(place).copied().unwrap_or(0.0);
        let (low, high) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
        Spread {
            median: (at(low) + at(high)) / 2.0,
            min: at(0),
            max: at(sorted.len().saturating_sub(1)),
            values,
        }
    }

    /// The geometric mean.
    pub(super) fn mean(&self) -> f64 {
        geometric_mean(self.values.iter().map(|value| value.max(f64::MIN_POSITIVE)))
    }
}

/// By servers, those without PgBouncer first.
pub(super) fn points(visits: &[Visit]) -> Vec<Point> {
    let mut by_point: BTreeMap<(u32, Option<u32>), Vec<&Visit>> = BTreeMap::new();
    for visit in visits {
        let point = by_point.entry((visit.servers, visit.pool)).or_default();
        point.push(visit);
    }
    let point = |((servers, pool), visits): (_, Vec<&Visit>)| Point {
        servers,
        pool,
        connections: visits
            .iter()
            .map(|visit| visit.connections)
            .max()
            .unwrap_or(0),
        rate: Spread::of(visits.iter().map(|visit| visit.rate).collect()),
        p99_us: Spread::of(visits.iter().map(|visit| visit.p99_us).collect()),
        success: visits.iter().map(|visit| visit.success).sum::<f64>() / visits.len() as f64,
        read_back: visits.iter().map(|visit| visit.read_back).sum(),
    };
    by_point.into_iter().map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_its_middle_and_its_ends() {
        let odd = Spread::of(vec![3.0, 1.0, 2.0]);
        assert_eq!((odd.median, odd.min, odd.max), (2.0, 1.0, 3.0));
        assert_eq!(Spread::of(vec![1.0, 4.0]).median, 2.5);
        assert!((Spread::of(vec![1.0, 4.0]).mean() - 2.0).abs() < 1e-12);
    }
}
