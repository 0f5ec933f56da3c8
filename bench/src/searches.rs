//! Searches by class of terms: how fast, how late, and whether the answers are right.

use serde::Serialize;
use warrior_load::output::say;
use warrior_load::workload::Kind;

use crate::check::{self, Checked};
use crate::fill::SkillPool;
use crate::measurement::{Measurement, by_http};
use crate::rig::Rig;
use crate::sample::Series;
use crate::table;
use crate::terms::{Class, classes};

/// Connections that search at once.
pub(crate) const CONNECTIONS: usize = 32;

/// Bounds the terms of each class that are compared with the plain definition, which reads the whole table for
/// each.
const CHECKED: usize = 3;
/// The same when the table is large.
const CHECKED_LARGE: usize = 1;
/// A table of more rows is large.
const LARGE: u64 = 2_000_000;

/// Searches in one state of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Searches {
    /// The state, for reading.
    pub table: String,
    /// The classes.
    pub classes: Vec<ClassResult>,
}

/// One class of terms.
#[derive(Clone, Debug, Serialize)]
pub struct ClassResult {
    /// The name of the class.
    pub name: String,
    /// How many different terms there were; equal ones that wait together are answered by one search.
    pub terms: usize,
    /// The samples of the class.
    pub series: Series,
    /// The comparison of its answers.
    pub checked: Checked,
}

/// Measures every class. Nothing is compared yet, which takes longer and may be disturbed.
pub(crate) fn measure(rig: &mut Rig<'_>, pool: SkillPool) -> anyhow::Result<Searches> {
    let state = match pool {
        SkillPool::MartialArts => format!("{} rows, 25 skills", rig.options.rows),
        SkillPool::Distinct => {
            format!(
                "{} rows, {} skills",
                rig.options.rows,
                table::distinct_skills(rig.stack)?
            )
        }
    };
    say(format_args!("searches by class: {state}"));
    let classes = classes_with_terms(rig.options.rows, pool);
    let measurements: Vec<Measurement> = classes
        .iter()
        .map(|class| of_class(rig, class))
        .collect::<anyhow::Result<_>>()?;
    let first = rig.series.len();
    rig.rounds(&measurements)?;
    let measured = rig.series.split_off(first);
    let slowest = measured.iter().max_by(|a, b| {
        let p99 = |series: &Series| series.median(|sample| sample.p99_us);
        p99(a).total_cmp(&p99(b))
    });
    rig.worst = slowest.map(|series| series.executor.clone());
    let results = classes.into_iter().zip(measured);
    Ok(Searches {
        table: state,
        classes: results
            .map(|(class, series)| ClassResult {
                name: class.name.to_owned(),
                terms: class.terms.len(),
                series,
                checked: Checked::default(),
            })
            .collect(),
    })
}

/// Compares a few answers of each class with the plain definition.
pub(crate) fn check(rig: &Rig<'_>, pool: SkillPool, searches: &mut Searches) -> anyhow::Result<()> {
    let terms = if rig.options.rows > LARGE {
        CHECKED_LARGE
    } else {
        CHECKED
    };
    let classes = classes_with_terms(rig.options.rows, pool);
    for (class, result) in classes.iter().zip(&mut searches.classes) {
        result.checked = check::check(rig.stack, class, terms)?;
        let words = result.checked.words();
        say(format_args!("  checked {}: {words}", class.name));
    }
    Ok(())
}

fn of_class(rig: &Rig<'_>, class: &Class) -> anyhow::Result<Measurement> {
    let kind = Kind::OneOf(class.uris(&rig.stack.api)?);
    let action = rig.to_server(kind, CONNECTIONS);
    Ok(by_http("search by class", class.name.to_owned(), action))
}

fn classes_with_terms(rows: u64, pool: SkillPool) -> Vec<Class> {
    let mut classes = classes(rows, pool);
    classes.retain(|class| !class.terms.is_empty());
    classes
}
