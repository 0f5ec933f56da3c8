//! Rows that an import left out, read from its file of rejects: a check compares the others.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::MigrateError;
use super::row::Batch;

/// The ids of a file of rejects, as they stand in the DuckDB file.
#[derive(Debug)]
pub struct LeftOut {
    path: PathBuf,
    ids: HashSet<String>,
    /// Whether rows without an id are among them.
    without_id: bool,
    /// Lines of the file, each of them a row.
    rows: u64,
}

impl LeftOut {
    /// Reads the file that `import --rejects` wrote.
    ///
    /// # Errors
    /// When it cannot be read, or a line of it is none of an import's.
    pub fn read(path: &Path) -> Result<Self, MigrateError> {
        let reading = |cause| MigrateError::Io {
            doing: "reading the rejects",
            path: path.to_owned(),
            cause,
        };
        let mut found = Self {
            path: path.to_owned(),
            ids: HashSet::new(),
            without_id: false,
            rows: 0,
        };
        for line in BufReader::new(File::open(path).map_err(reading)?).lines() {
            found.rows += 1;
            let line: Option<Value> = serde_json::from_str(&line.map_err(reading)?).ok();
            match line.as_ref().and_then(|line| line.get("id")) {
                Some(Value::Null) => found.without_id = true,
                Some(Value::String(id)) => {
                    found.ids.insert(id.clone());
                }
                _ => {
                    return Err(MigrateError::Shape(format!(
                        "line {} of {} is no JSON object with an id; give --rejects the file that the import wrote",
                        found.rows,
                        path.display()
                    )));
                }
            }
        }
        Ok(found)
    }

    /// Whether the row at `at` was left out: its id is listed, and an import cannot take it.
    pub(super) fn holds(&self, batch: &Batch<'_>, at: usize) -> bool {
        let listed = match batch.written_id(at) {
            None => self.without_id,
            Some(id) => self.ids.contains(id),
        };
        listed && batch.row(at).is_err()
    }

    /// # Errors
    /// When a number of `rows` that were left out is not that of the lines.
    pub(super) fn expect(&self, rows: u64) -> Result<(), MigrateError> {
        match rows == self.rows {
            true => Ok(()),
            false => Err(MigrateError::Shape(format!(
                "{} lists {} rows, and {rows} of them are in the file and cannot be taken: it is of another file, or of an \
                 earlier state of this one; run the import again with --rejects, then this command",
                self.path.display(),
                self.rows
            ))),
        }
    }
}
