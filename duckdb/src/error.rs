//! Errors, told to people: what happened, why, and what to do next.

use std::path::PathBuf;

use adbc_core::error::{Error as AdbcError, Status};

/// Why there is no library.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// None of the places has one.
    #[error(
        "no libduckdb was found in {}; fetch one with: make duckdb (or set DUCKDB_LIBRARY to the path of one)",
        .searched.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
    )]
    NotFound {
        /// The folders that were searched.
        searched: Vec<PathBuf>,
    },
    /// The file is no library, or not DuckDB's.
    #[error(
        "{} cannot be loaded as libduckdb: {cause}; fetch another with: make duckdb (and unset DUCKDB_LIBRARY)",
        .path.display()
    )]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The loader's words.
        cause: String,
    },
    /// An older library.
    #[error(
        "{} is DuckDB {found}, and 1.5 or newer is needed: older ones cannot read the files of newer ones; fetch one \
         with: make duckdb (and unset DUCKDB_LIBRARY)",
        .path.display()
    )]
    TooOld {
        /// The file.
        path: PathBuf,
        /// Its version, as it says itself.
        found: String,
    },
}

/// Why a file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none.
    #[error("{} does not exist; check the path", .0.display())]
    Missing(PathBuf),
    /// A log without its file: its rows would be lost, or come into the new file.
    #[error(
        "{} is the log of a file that is gone, and a new file of that name would take or delete its rows: put the file back \
         beside it, or move the log away, then run this again",
        .0.display()
    )]
    LeftLog(PathBuf),
    /// The path cannot be handed over.
    #[error("the path {} is not UTF-8, which DuckDB needs; rename the file", .0.display())]
    OddPath(PathBuf),
    /// Another process holds it; DuckDB lets one process in, readers included.
    #[error(
        "{} is held by {holder}, and DuckDB lets one process at a time open a file, readers included; stop that \
         process, or copy the file together with all whose names begin with {}.wal while it stands still, then run this again",
        .path.display(), .path.display()
    )]
    Held {
        /// The file.
        path: PathBuf,
        /// The process, with its id where DuckDB knows it.
        holder: String,
    },
    /// It is no DuckDB file, or a damaged one.
    #[error(
        "{} is not a DuckDB file that can be read: {cause}; check the path, or restore the file from a backup",
        .path.display()
    )]
    NotDuckDb {
        /// The file.
        path: PathBuf,
        /// DuckDB's words.
        cause: String,
    },
    /// The system or DuckDB refused for another reason.
    #[error("{} cannot be opened: {cause}", .path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// DuckDB's words.
        cause: String,
    },
}

/// A statement that failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// DuckDB's words, its name of the kind of error first (`Constraint Error: ...`).
    pub message: String,
    /// Whether a [`Canceller`](crate::Canceller) ended it.
    pub cancelled: bool,
}

/// The words with which DuckDB begins the error of an interrupted statement.
const INTERRUPTED: &str = "INTERRUPT Error";

impl Error {
    /// An error with these words.
    pub fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        let cancelled = before_values(&message).contains(INTERRUPTED);
        Self { message, cancelled }
    }

    /// DuckDB's own words, as far as the first value that they quote: a value may say anything.
    pub fn before_values(&self) -> &str {
        before_values(&self.message)
    }
}

fn before_values(message: &str) -> &str {
    message.split(['"', '\'']).next().unwrap_or_default()
}

impl From<AdbcError> for Error {
    fn from(error: AdbcError) -> Self {
        let cancelled = error.status == Status::Cancelled;
        let told = Self::new(error.message);
        Self {
            cancelled: cancelled || told.cancelled,
            ..told
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_speaks_as_duckdb_does_cancels_nothing() {
        assert!(Error::new("INTERRUPT Error: Interrupted!").cancelled);
        let refused =
            "Constraint Error: Duplicate key \"name: INTERRUPT Error\" violates unique constraint";
        assert!(!Error::new(refused).cancelled);
    }
}
