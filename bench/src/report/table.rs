//! Figures as the cells of a table.

use crate::sample::Spread;

/// A median and the extremes of the rounds.
pub(super) fn spread(spread: &Spread, show: impl Fn(f64) -> String) -> String {
    let Spread { median, min, max } = *spread;
    format!("{} ({}–{})", show(median), show(min), show(max))
}
