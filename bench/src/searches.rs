//! Searches by class of terms: how fast, how late, and whether the answers are right.

use serde::Serialize;
use warrior_load::output::say;
use warrior_load::workload::Kind;

use crate::check::{self, Checked};
use crate::cpu::Processes;
use crate::fill::Contents;
use crate::hits::{self, HitCounts};
use crate::http::Request;
use crate::measurement::{Action, Measurement, SEARCH, by_http};
use crate::options::Part;
use crate::peers::to;
use crate::rig::Rig;
use crate::sample::Series;
use crate::table;
use crate::terms::{Class, classes};

/// The work of the server, and that of the peer that calls the same function for each request.
const BY_CLASS: &str = "search by class";
const ONE_BY_ONE: &str = "search by class, one by one";
/// The same of the server on the plain schema.
const ON_PLAIN: &str = "search by class, plain schema";

/// Connections that search at once.
pub(crate) const CONNECTIONS: usize = 32;

/// Bounds the terms of each class that are compared with the plain definition, which reads the whole table for
/// each.
const CHECKED: usize = 3;
/// The same when the table is large.
const CHECKED_LARGE: usize = 1;
/// A table of more rows is large.
const LARGE: u64 = 500_000;

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
    /// How many of them find how many rows.
    pub hits: HitCounts,
    /// The samples of the class.
    pub series: Series,
    /// Those of the peer that calls the same function for each request.
    pub one_by_one: Option<Series>,
    /// Those of the server on the plain schema.
    pub plain: Option<Series>,
    /// The comparison of its answers.
    pub checked: Checked,
}

/// Measures every class. Nothing is compared yet, which takes longer and may be disturbed.
pub(crate) fn measure(rig: &mut Rig<'_>, contents: Contents) -> anyhow::Result<Searches> {
    let rows = rig.options.rows;
    let state = match contents {
        Contents::Laboratory => format!("{rows} rows, 25 skills"),
        Contents::DistinctSkills => {
            format!("{rows} rows, {} skills", table::distinct_skills(rig.stack)?)
        }
        Contents::RealNames => format!("{rows} rows, real names"),
    };
    say(format_args!("searches by class: {state}"));
    let classes = classes_with_terms(rows, contents);
    say(format_args!("  asking what each term finds"));
    let (mut measurements, mut hits) = (Vec::new(), Vec::new());
    for class in &classes {
        rig.go_on()?;
        let (measured, counts) = of_class(rig, class)?;
        measurements.extend(measured);
        hits.push(counts);
    }
    let first = rig.series.len();
    rig.rounds(&measurements)?;
    let all = rig.series.split_off(first);
    let of = |work: &str| -> Vec<Series> {
        let of_work = all.iter().filter(|series| series.work == work);
        of_work.cloned().collect()
    };
    let (measured, one_by_one, plain) = (of(BY_CLASS), of(ONE_BY_ONE), of(ON_PLAIN));
    let slowest = measured.iter().max_by(|a, b| {
        let p99 = |series: &Series| series.median(|sample| sample.p99_us);
        p99(a).total_cmp(&p99(b))
    });
    rig.worst = slowest.map(|series| series.executor.clone());
    let (mut one_by_one, mut plain) = (one_by_one.into_iter(), plain.into_iter());
    let results = classes.into_iter().zip(measured).zip(hits);
    Ok(Searches {
        table: state,
        classes: results
            .map(|((class, series), hits)| ClassResult {
                name: class.name.to_owned(),
                terms: class.terms.len(),
                hits,
                series,
                one_by_one: one_by_one.next(),
                plain: plain.next(),
                checked: Checked::default(),
            })
            .collect(),
    })
}

/// Compares a few answers of each class with the plain definition.
pub(crate) fn check(
    rig: &Rig<'_>,
    contents: Contents,
    searches: &mut Searches,
) -> anyhow::Result<()> {
    let terms = if rig.options.rows > LARGE {
        CHECKED_LARGE
    } else {
        CHECKED
    };
    let classes = classes_with_terms(rig.options.rows, contents);
    for (class, result) in classes.iter().zip(&mut searches.classes) {
        rig.go_on()?;
        result.checked = check::check(rig.stack, class, terms)?;
        if let Some((plain, _)) = &rig.plain {
            result.checked.add(check::check(plain, class, terms)?);
        }
        let words = result.checked.words();
        say(format_args!("  checked {}: {words}", class.name));
    }
    Ok(())
}

/// The measurement of a class, and beside it, where peers are measured, that of the function called one by one.
fn of_class(rig: &Rig<'_>, class: &Class) -> anyhow::Result<(Vec<Measurement>, HitCounts)> {
    let (kinds, hits) = hits::apart(rig.stack, class)?;
    let request = rig.request(rig.stack, Kind::Search, CONNECTIONS);
    let request = Request {
        kinds,
        // There are many classes, and each has its requests within half the time.
        length: request.length / 2,
        ..request
    };
    let mut all = Vec::new();
    if rig.options.wants(&[Part::Peers]) {
        let companion = rig.peers.pooled(SEARCH)?;
        let request = to(companion, rig.stack, request.clone());
        let action = Action::Http(Box::new(request));
        all.push(by_http(ONE_BY_ONE, class.name.to_owned(), action));
    }
    if let Some((plain, _)) = &rig.plain {
        let request = Request {
            target: plain.api.clone(),
            processes: Processes::of_stack(plain),
            // Two letters that no row holds have it read all rows, which takes too long where they are many.
            may_be_refused: true,
            ..request.clone()
        };
        let action = Action::Http(Box::new(request));
        all.push(by_http(ON_PLAIN, class.name.to_owned(), action));
    }
    let action = Action::Http(Box::new(request));
    all.push(by_http(BY_CLASS, class.name.to_owned(), action));
    Ok((all, hits))
}

fn classes_with_terms(rows: u64, contents: Contents) -> Vec<Class> {
    let mut classes = classes(rows, contents);
    classes.retain(|class| !class.terms.is_empty());
    classes
}
