//! The table of goals.

use warrior_load::text_table::text_table;

use super::table::spread;
use crate::goals::Goal;

/// Whether it was kept.
pub(super) fn verdict(goal: &Goal) -> String {
    let words = match goal.met {
        Some(true) => "held",
        Some(false) => "NOT HELD",
        None => "-",
    };
    words.to_owned()
}

/// The goals, what was measured, and whether they were met; empty without goals.
pub(super) fn goals(goals: &[Goal]) -> String {
    if goals.is_empty() {
        return String::new();
    }
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
                verdict(goal),
            ]
        })
        .collect();
    text_table(
        ["What", "Median (min–max of the rounds)", "Target", ""],
        rows,
    )
}
