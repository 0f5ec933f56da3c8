//! The file of rejects: rows that cannot be taken, as they stand in the DuckDB file, one JSON object a line. It is written
//! aside and renamed when it is complete, so that a file of that name is never half of one.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::error::MigrateError;
use super::row::{Batch, Refusal};

/// A file of rejects that is being written.
pub struct Rejects {
    path: PathBuf,
    aside: PathBuf,
    writer: BufWriter<File>,
}

impl Rejects {
    /// Begins one, which replaces a file of that name when it is complete.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(path: &Path) -> Result<Self, MigrateError> {
        let mut aside = path.as_os_str().to_owned();
        aside.push(".part");
        let aside = PathBuf::from(aside);
        let file = File::create(&aside).map_err(|source| MigrateError::Io {
            doing: "writing",
            path: aside.clone(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            aside,
            writer: BufWriter::new(file),
        })
    }

    /// Adds the row at `at`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(
        &mut self,
        refusal: Refusal,
        batch: &Batch<'_>,
        at: usize,
    ) -> Result<(), MigrateError> {
        let line = json!({
            "id": batch.written_id(at),
            "column": refusal.column,
            "reason": refusal.reason.to_string(),
            "row": batch.written(at),
        });
        writeln!(self.writer, "{line}").map_err(|e| self.failed(e))
    }

    /// Puts it in its place, on disk.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn finish(mut self) -> Result<(), MigrateError> {
        let written = (self.writer.flush())
            .and_then(|()| self.writer.get_ref().sync_all())
            .and_then(|()| fs::rename(&self.aside, &self.path));
        written.map_err(|e| self.failed(e))
    }

    fn failed(&self, source: std::io::Error) -> MigrateError {
        MigrateError::Io {
            doing: "writing",
            path: self.aside.clone(),
            source,
        }
    }
}
