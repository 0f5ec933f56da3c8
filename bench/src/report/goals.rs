//! The table of goals.

use super::table::{spread, table};
use crate::goals::Goal;

/// The goals, what was measured, and whether they were met.
pub(super) fn goals(goals: &[Goal]) -> String {
    let rows: Vec<[String; 4]> = goals
        .iter()
        .map(|goal| {
            let millis = goal.wanted.ends_with("ms");
            let show = |value: f64| match millis {
                true => format!("{value:.1} ms"),
                false => format!("{value:.2}"),
            };
            [
                goal.what.clone(),
                spread(&goal.measured, show),
                goal.wanted.clone(),
                match goal.met {
                    Some(true) => "held".to_owned(),
                    Some(false) => "NOT HELD".to_owned(),
                    None => "-".to_owned(),
                },
            ]
        })
        .collect();
    table(
        ["What", "Median (min–max of the rounds)", "Target", ""],
        &rows,
    )
}
