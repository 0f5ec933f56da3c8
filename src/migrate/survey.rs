//! Survey of a file before anything is copied: every row is looked at, and what cannot be taken is counted by reason.

use std::collections::BTreeMap;
use std::fmt;

use warrior_duckdb::Connection;

use super::error::{Doing, MigrateError};
use super::rejects::Rejects;
use super::row::{Batch, Refusal};
use super::source::{Order, Source};

/// Longest part of an id that is shown as an example.
const EXAMPLE_MAX: usize = 60;

/// What the rows of a file are.
#[derive(Debug, Default)]
pub struct Survey {
    /// All of them.
    pub rows: u64,
    /// Those that are no warriors, by reason.
    refused: BTreeMap<Refusal, Refused>,
}

#[derive(Debug)]
struct Refused {
    rows: u64,
    example: String,
}

impl Survey {
    /// Looks at every row, and writes those that cannot be taken to `rejects`. `seen` is told how many were looked at, and
    /// says whether to go on.
    ///
    /// # Errors
    /// When the file cannot be read, or `rejects` cannot be written.
    pub fn of(
        source: &Source,
        connection: &mut Connection,
        mut rejects: Option<&mut Rejects>,
        seen: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Self, MigrateError> {
        let mut survey = Self::default();
        for batch in source.rows(connection, Order::Position, None)? {
            let batch = batch.doing("reading the file")?;
            let batch = Batch::of(source, &batch)?;
            for at in 0..batch.len() {
                if let Err(refusal) = batch.row(at) {
                    survey.count(refusal, &batch, at);
                    if let Some(rejects) = rejects.as_deref_mut() {
                        rejects.add(refusal, &batch, at)?;
                    }
                }
            }
            survey.rows += batch.len() as u64;
            if !seen(survey.rows) {
                return Err(MigrateError::StoppedEarly);
            }
        }
        Ok(survey)
    }

    /// How many rows are no warriors.
    pub fn refused(&self) -> u64 {
        self.refused.values().map(|refused| refused.rows).sum()
    }

    fn count(&mut self, refusal: Refusal, batch: &Batch<'_>, at: usize) {
        let example = || match batch.written_id(at) {
            Some(id) => id.chars().take(EXAMPLE_MAX).collect(),
            None => format!("NULL, at rowid {}", batch.position(at)),
        };
        let new = || Refused {
            rows: 0,
            example: example(),
        };
        self.refused.entry(refusal).or_insert_with(new).rows += 1;
    }
}

/// A table of reasons: number of rows, column and reason, and the id of the first such row.
impl fmt::Display for Survey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10}  {:<50}  id of the first", "rows", "reason")?;
        self.refused.iter().try_for_each(|(refusal, refused)| {
            let reason = format!("{} {}", refusal.column, refusal.reason);
            let example = refused.example.escape_debug();
            write!(f, "\n{:>10}  {reason:<50}  {example}", refused.rows)
        })
    }
}
