//! What pairs of costs prove, by the 95 % interval of their ratio: better, as good, or no difference. Every decision of a
//! search is one of these.

use crate::compare::ratio_interval;

/// A difference under this share does not count: no cost is measured better.
pub(super) const LEAST: f64 = 0.1;

/// Whether pairs prove a cost to be better: by more than the least difference, and beyond chance. They give its share of the
/// other cost, and the 95 % interval of that.
pub(super) fn is_better(ratio: f64, interval: (f64, f64)) -> bool {
    ratio < 1.0 - LEAST && interval.1 < 1.0
}

/// Whether pairs prove a cost to be no worse than by the least difference.
pub(super) fn is_as_good(interval: (f64, f64)) -> bool {
    interval.1 < 1.0 + LEAST
}

/// Whether a cost is within noise of the other: proved to be as good, or no difference is shown and the least one not
/// reached.
pub(super) fn is_within_noise(ratio: f64, interval: (f64, f64)) -> bool {
    is_as_good(interval) || ratio < 1.0 + LEAST && interval.0 <= 1.0
}

/// A cost as a share of the other by pairs, given as logarithms, and its 95 % interval; too few of them say nothing.
pub(super) fn shares(logs: &[f64]) -> (f64, (f64, f64)) {
    ratio_interval(logs).unwrap_or((1.0, (0.0, f64::INFINITY)))
}
