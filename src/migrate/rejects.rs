//! The file of rejects: rows that cannot be taken, as they stand in the DuckDB file, one JSON object a line. It is written
//! aside and renamed when it is complete, so that a file of that name is never half of one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use serde_json::json;
use warrior_duckdb::logs_of;

use super::error::MigrateError;
use super::file::resolved;
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
        for written in [path, &aside(path)] {
            let place = place(written);
            if place == file || logs_of(&file).any(|log| log == place) {
                return Err(MigrateError::Shape(format!(
                    "--rejects {} writes {}, which is the DuckDB file itself, or its log; name another file",
                    path.display(),
                    written.display()
                )));
            }
        }
        Ok(())
    }

    /// Begins one, which replaces a file of that name when it is complete. What a killed import has left is written over:
    /// one that is running holds a lock.
    ///
    /// # Errors
    /// When it cannot be made, or another import writes it.
    pub fn create(path: &Path) -> Result<Self, MigrateError> {
        let aside = aside(path);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        options.custom_flags(OFlag::O_NOFOLLOW.bits());
        let file = options.open(&aside).map_err(|e| writing(&aside, e))?;
        let is_ours = match file.try_lock() {
            Ok(()) => still_at(&file, &aside).map_err(|e| writing(&aside, e))?,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(e)) => return Err(writing(&aside, e)),
        };
        if !is_ours {
            return Err(MigrateError::Shape(format!(
                "another import writes {}; wait for its end, or name another file with --rejects",
                aside.display()
            )));
        }
        file.set_len(0).map_err(|e| writing(&aside, e))?;
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
        writeln!(self.writer, "{line}").map_err(|e| writing(&self.aside, e))
    }

    /// Puts it in its place, on disk.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn finish(mut self) -> Result<(), MigrateError> {
        let written = (self.writer.flush())
            .and_then(|()| self.writer.get_ref().sync_all())
            .and_then(|()| fs::rename(&self.aside, &self.path));
        written.map_err(|e| writing(&self.aside, e))
    }
}

impl Drop for Rejects {
    fn drop(&mut self) {
        // It is not there any more once it is finished.
        let _ = fs::remove_file(&self.aside);
    }
}

/// Where it stands until it is complete.
fn aside(path: &Path) -> PathBuf {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".part");
    PathBuf::from(aside)
}

/// Whether `path` still leads to the file: it has another name once the import that held it has finished.
fn still_at(file: &File, path: &Path) -> io::Result<bool> {
    let (opened, named) = (file.metadata()?, fs::symlink_metadata(path)?);
    Ok((opened.dev(), opened.ino()) == (named.dev(), named.ino()))
}

fn writing(path: &Path, cause: io::Error) -> MigrateError {
    MigrateError::Io {
        doing: "writing",
        path: path.to_owned(),
        cause,
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
