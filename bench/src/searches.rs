//! Searches by class of terms: how fast, how late, and whether the answers are right.

use serde::Serialize;

use super::Rig;
use super::cells::{Cell, cell};
use super::check::{Checked, check};
use super::fill::SkillPool;
use super::sample::Series;
use super::terms::{Class, classes};
use warrior_load::output::say;
use warrior_load::workload::Kind;

/// Connections that search at once.
pub(super) const CONNECTIONS: usize = 32;

/// Terms of each class that are compared with the plain definition, which reads the whole table for
/// each.
const CHECKED: usize = 3;
/// The same when the table is large.
const CHECKED_LARGE: usize = 1;
/// A table of more rows is large.
const LARGE: u64 = 2_000_000;

/// What was found in one state of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Searches {
    /// Which state.
    pub table: String,
    /// The classes.
    pub classes: Vec<ClassResult>,
}

/// One class of terms.
#[derive(Clone, Debug, Serialize)]
pub struct ClassResult {
    /// Its name.
    pub name: String,
    /// How many different terms there were; equal ones that wait together are answered by one search.
    pub terms: usize,
    /// What was measured.
    pub series: Series,
    /// What was compared.
    pub checked: Checked,
}

impl Rig<'_> {
    /// Measures every class. Nothing is compared yet, which takes longer and may be disturbed.
    pub(super) fn searches(&mut self, pool: SkillPool) -> anyhow::Result<Searches> {
        let table = match pool {
            SkillPool::MartialArts => format!("{} rows, 25 skills", self.options.rows),
            SkillPool::Distinct => {
                format!("{} rows, {} skills", self.options.rows, distinct(self)?)
            }
        };
        say(format_args!("searches by class: {table}"));
        let classes = classes_with_terms(self.options.rows, pool);
        let cells: Vec<Cell> = classes
            .iter()
            .map(|class| self.class_cell(class))
            .collect::<anyhow::Result<_>>()?;
        let first = self.series.len();
        self.rounds(&cells)?;
        let measured = self.series.split_off(first);
        let slowest = measured.iter().max_by(|a, b| {
            let p99 = |series: &Series| series.median(|sample| sample.p99_us);
            p99(a).total_cmp(&p99(b))
        });
        self.worst = slowest.map(|series| series.by.clone());
        let results = classes.into_iter().zip(measured);
        Ok(Searches {
            table,
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
    pub(super) fn check(&self, pool: SkillPool, searches: &mut Searches) -> anyhow::Result<()> {
        let terms = if self.options.rows > LARGE {
            CHECKED_LARGE
        } else {
            CHECKED
        };
        let classes = classes_with_terms(self.options.rows, pool);
        for (class, result) in classes.iter().zip(&mut searches.classes) {
            result.checked = check(self.stack, class, terms)?;
            let words = result.checked.words();
            say(format_args!("  checked {}: {words}", class.name));
        }
        Ok(())
    }

    pub(super) fn class_cell(&self, class: &Class) -> anyhow::Result<Cell> {
        let kind = Kind::OneOf(class.uris(&self.stack.api)?);
        let action = self.to_server(kind, CONNECTIONS);
        Ok(cell("search by class", class.name.to_owned(), action))
    }
}

impl Checked {
    /// In a few words.
    pub(super) fn words(&self) -> String {
        match (self.different.first(), self.refused) {
            (Some(difference), _) => format!("DIFFERENT: {difference}"),
            (None, 0) => format!("{} equal", self.equal),
            (None, refused) => format!("{} equal, {refused} refused", self.equal),
        }
    }
}

fn classes_with_terms(rows: u64, pool: SkillPool) -> Vec<Class> {
    let mut classes = classes(rows, pool);
    classes.retain(|class| !class.terms.is_empty());
    classes
}

fn distinct(rig: &Rig<'_>) -> anyhow::Result<i64> {
    let mut owner = rig.stack.owner().connect()?;
    let row = owner.query_one(
        "select count(distinct skill) from public.warrior_skill",
        &[],
    )?;
    Ok(row.try_get(0)?)
}
