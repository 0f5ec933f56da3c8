//! Opening of a file: who may write, and who is in the way.

use std::fmt;
use std::path::{Path, PathBuf};

use adbc_driver_manager::ManagedDatabase;

use crate::connection::Connection;
use crate::error::{Error, OpenError};

/// DuckDB's name of the write-ahead log of a file.
pub fn log_of(path: &Path) -> PathBuf {
    with_end(path, ".wal")
}

/// What stands beside a file whose checkpoint was cut off, and may hold rows as its log does.
pub fn cut_off_logs_of(path: &Path) -> impl Iterator<Item = PathBuf> {
    [".wal.checkpoint", ".wal.recovery"]
        .map(|end| with_end(path, end))
        .into_iter()
}

/// Where the log of a file may stand, whole or while it is taken into the file.
pub fn logs_of(path: &Path) -> impl Iterator<Item = PathBuf> {
    std::iter::once(log_of(path)).chain(cut_off_logs_of(path))
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// What a process may do with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads alone. A write-ahead log beside the file is read, too, and left as it is.
    Read,
    /// Writes to a file that is there.
    Write,
    /// Writes, and makes the file where it is missing.
    Create,
}

/// An open file. Clones and connections share it; it is closed when the last of them is dropped.
#[derive(Clone)]
pub struct File {
    database: ManagedDatabase,
    path: PathBuf,
}

impl File {
    /// A connection of its own, with a transaction of its own.
    ///
    /// # Errors
    /// When DuckDB has no room for one.
    pub fn connect(&self) -> Result<Connection, Error> {
        Connection::of(&self.database)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Opens `path` with the `driver` of a library, which takes settings by name and value.
pub(crate) fn open(
    driver: impl FnOnce(&[(&str, &str)]) -> Result<ManagedDatabase, adbc_core::error::Error>,
    path: &Path,
    access: Access,
    settings: &[(&str, &str)],
) -> Result<File, OpenError> {
    if access != Access::Create && !path.exists() {
        return Err(OpenError::Missing(path.to_owned()));
    }
    // DuckDB removes the log of a file that is not there, or takes its rows into the new one.
    if !path.exists()
        && let Some(log) = logs_of(path).find(|log| log.exists())
    {
        return Err(OpenError::LeftLog(log));
    }
    let text = (path.to_str()).ok_or_else(|| OpenError::OddPath(path.to_owned()))?;
    let mode = match access {
        Access::Read => "READ_ONLY",
        Access::Write | Access::Create => "READ_WRITE",
    };
    // Opening a file, or a function that is missing, fetches no code from a server.
    let given = [
        ("path", text),
        ("access_mode", mode),
        ("autoinstall_known_extensions", "false"),
    ];
    let settings: Vec<(&str, &str)> = given.into_iter().chain(settings.iter().copied()).collect();
    let database = driver(&settings).map_err(|e| told(path, e.message))?;
    let path = path.to_owned();
    Ok(File { database, path })
}

/// DuckDB gives one kind of error to all of these; its text is the only evidence.
fn told(path: &Path, cause: String) -> OpenError {
    let path = path.to_owned();
    if let Some((_, rest)) = cause.split_once("Conflicting lock is held in ") {
        let holder = rest
            .split_once(". See also")
            .map_or(rest, |(holder, _)| holder);
        let holder = holder.to_owned();
        return OpenError::Held { path, holder };
    }
    if cause.contains("Could not set lock") {
        let holder = "another process".to_owned();
        return OpenError::Held { path, holder };
    }
    let damaged = [
        "not a valid DuckDB",
        "Serialization Error",
        "Corrupt",
        "corrupt",
        "checksum",
    ];
    if damaged.iter().any(|text| cause.contains(text)) {
        return OpenError::NotDuckDb { path, cause };
    }
    OpenError::Refused { path, cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_named() {
        let cause = "IO Error: Could not set lock on file \"/a.db\": Conflicting lock is held in /usr/bin/python3 \
                     (PID 41). See also https://duckdb.org/docs/current/connect/concurrency";
        let e = told(Path::new("/a.db"), cause.to_owned());
        let text = e.to_string();
        assert!(matches!(e, OpenError::Held { .. }), "{text}");
        assert!(
            text.contains("is held by /usr/bin/python3 (PID 41), and"),
            "{text}"
        );
    }
}
