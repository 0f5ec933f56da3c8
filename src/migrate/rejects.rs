//! The file of rejects: rows that cannot be taken, as they stand in the DuckDB file, one JSON object a line. It is written
//! aside and renamed when it is complete, so that a file of that name is never half of one.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::error::MigrateError;
use super::file::{log_of, resolved};
use super::row::{Batch, Refusal};

/// A file of rejects that is being written. What stands aside is removed unless it is finished.
pub struct Rejects {
    path: PathBuf,
    aside: PathBuf,
    writer: BufWriter<File>,
}

impl Rejects {
    /// Refuses a place that is the DuckDB file, or that of its log, which would be replayed.
    ///
    /// # Errors
    /// When it is one of these.
    pub fn check(path: &Path, file: &Path) -> Result<(), MigrateError> {
        let file = place(file);
        let rejects = place(path);
        let taken = [log_of(&file), file];
        match taken.contains(&rejects) {
            false => Ok(()),
            true => Err(MigrateError::Shape(format!(
                "--rejects {} is the DuckDB file itself, or its log; name another file",
                path.display()
            ))),
        }
    }

    /// Begins one, which replaces a file of that name when it is complete.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(path: &Path) -> Result<Self, MigrateError> {
        let mut aside = path.as_os_str().to_owned();
        aside.push(".part");
        let aside = PathBuf::from(aside);
        let file = File::create_new(&aside).map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => MigrateError::Shape(format!(
                "{} exists: another import writes it, or one was killed that did; if none is running, remove it and run \
                 the same command again",
                aside.display()
            )),
            _ => MigrateError::Io {
                doing: "writing",
                path: aside.clone(),
                source,
            },
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

impl Drop for Rejects {
    fn drop(&mut self) {
        // It is not there any more once it is finished.
        let _ = fs::remove_file(&self.aside);
    }
}

/// Where a file stands or would stand, links resolved.
fn place(path: &Path) -> PathBuf {
    let Some(name) = path.file_name().filter(|_| !path.exists()) else {
        return resolved(path);
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    resolved(folder.unwrap_or(Path::new("."))).join(name)
}
