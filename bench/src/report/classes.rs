//! The table of classes of searches: what each finds, and how it stands to its targets.

use warrior_load::text_table::text_table;

use super::table::spread;
use crate::goals::{ClassGoals, Goal};
use crate::result::BenchResult;
use crate::searches::{ClassResult, Searches};

/// One line for each class of a table, its targets in the head.
pub(super) fn classes(bench: &BenchResult, state: &Searches) -> String {
    let lines: Vec<(&ClassResult, &ClassGoals)> = state
        .classes
        .iter()
        .filter_map(|class| {
            let mut goals = bench.class_goals.iter();
            let goals = goals.find(|of| of.table == state.table && of.class == class.name)?;
            Some((class, goals))
        })
        .collect();
    let rows: Vec<[String; 6]> = lines
        .iter()
        .map(|(class, goals)| row(class, goals))
        .collect();
    let target = |what: &str, goal: fn(&ClassGoals) -> &Option<Goal>| {
        let mut all = lines.iter();
        let wanted =
            all.find_map(|(_, goals)| goal(goals).as_ref().map(|goal| goal.wanted.clone()));
        wanted.map_or_else(|| what.to_owned(), |wanted| format!("{what}, {wanted}"))
    };
    let head = [
        "Class".to_owned(),
        "Terms that find 0–9, 10–49, 50".to_owned(),
        target("p99 where 0–9 are found", |goals| &goals.few),
        target("p99 where 50 are found", |goals| &goals.fifty),
        target("PostgreSQL's CPU time", |goals| &goals.postgres),
        target("rate / the function one by one", |goals| &goals.one_by_one),
    ];
    text_table(head.each_ref().map(String::as_str), rows)
}

fn row(class: &ClassResult, goals: &ClassGoals) -> [String; 6] {
    let hits = class.hits;
    [
        class.name.clone(),
        format!("{}, {}, {}", hits.few, hits.some, hits.fifty),
        cell(goals.few.as_ref(), |ms| format!("{ms:.1} ms")),
        cell(goals.fifty.as_ref(), |ms| format!("{ms:.1} ms")),
        cell(goals.postgres.as_ref(), |ms| format!("{ms:.2} ms")),
        cell(goals.one_by_one.as_ref(), |ratio| format!("{ratio:.2}")),
    ]
}

fn cell(goal: Option<&Goal>, show: impl Fn(f64) -> String) -> String {
    goal.map_or_else(
        || "-".to_owned(),
        |goal| {
            let measured = spread(&goal.measured, show);
            match goal.met {
                Some(false) => format!("{measured} NOT HELD"),
                _ => measured,
            }
        },
    )
}
