//! The rows of a fields file: one JSON object a line, whose keys are fields.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, ensure};
use serde_json::{Map, Value};

use crate::files::InputFile;

/// The rows that fields draw from: request `n` takes row `n` modulo their number.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    path: PathBuf,
    /// Each with the number of its line.
    rows: Arc<Vec<(usize, Map<String, Value>)>>,
}

impl Rows {
    /// Reads JSON objects, one a line.
    pub fn parse(file: &InputFile) -> anyhow::Result<Rows> {
        let mut rows: Vec<(usize, Map<String, Value>)> = Vec::new();
        let place = |line: usize| format!("{} line {line}", file.path.display());
        let lines = file.text.lines().zip(1..);
        for (line, number) in lines.filter(|(line, _)| !line.trim().is_empty()) {
            let row: Map<String, Value> = serde_json::from_str(line)
                .with_context(|| format!("{}: want one JSON object", place(number)))?;
            if let Some((_, first)) = rows.first() {
                ensure!(
                    first.keys().eq(row.keys()),
                    "{}: its keys differ from the first line's",
                    place(number)
                );
            }
            rows.push((number, row));
        }
        ensure!(
            !rows.is_empty(),
            "{} holds no line; want JSON objects",
            file.path.display()
        );
        Ok(Rows {
            path: file.path.clone(),
            rows: Arc::new(rows),
        })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    /// Whether they have this key.
    pub(super) fn has(&self, column: &str) -> bool {
        let first = self.rows.first();
        first.is_some_and(|(_, row)| row.contains_key(column))
    }

    /// Where the row of request `index` stands, for reading.
    pub(super) fn place(&self, index: u64) -> Option<String> {
        let (line, _) = self.row(index)?;
        Some(format!("{} line {line}", self.path.display()))
    }

    pub(super) fn value(&self, index: u64, column: &str) -> Option<&Value> {
        self.row(index)?.1.get(column)
    }

    fn row(&self, index: u64) -> Option<&(usize, Map<String, Value>)> {
        let count = u64::try_from(self.rows.len().max(1)).ok()?;
        self.rows.get(usize::try_from(index % count).ok()?)
    }
}
