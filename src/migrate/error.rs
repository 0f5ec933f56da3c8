//! Errors of the way over, each with the next command.

use std::io;
use std::path::PathBuf;

use warrior_duckdb::{LibraryError, OpenError};

use crate::store::schema::SchemaError;

/// Why a file was not taken over.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// There is no libduckdb.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The file cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The file is not the shape of warriors.
    #[error("{0}")]
    Shape(String),
    /// DuckDB failed.
    #[error("{doing}: {source}")]
    DuckDb {
        /// What was being done, as it stands in a sentence.
        doing: &'static str,
        /// Its words.
        source: warrior_duckdb::Error,
    },
    /// The schema is not ready for rows.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// PostgreSQL failed.
    #[error("{doing}: {}", crate::store::chain(.source))]
    Postgres {
        /// What was being done, as it stands in a sentence.
        doing: &'static str,
        /// Its words.
        source: postgres::Error,
    },
    /// The system failed.
    #[error("{doing} {}: {source}", .path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Rows came in another order than they stand in.
    #[error(
        "DuckDB gave rows in another order than they stand in; use the libduckdb that `make duckdb` fetches"
    )]
    Disorder,
    /// Other rows came than those that were looked at.
    #[error(
        "{rows} rows were read where {of} had been looked at; run the same command again, and if that says the same, use \
         the libduckdb that `make duckdb` fetches"
    )]
    Incomplete {
        /// Rows that were read.
        rows: u64,
        /// Rows that had been looked at.
        of: u64,
    },
    /// The table does not take them.
    #[error(
        "{rows} rows were neither stored nor there: a trigger or rule on public.warrior drops them; disable it (alter table \
         public.warrior disable trigger ...), then run the same command again"
    )]
    Dropped {
        /// How many.
        rows: u64,
    },
    /// A signal asked for it.
    #[error("stopped after {rows} rows; the same command goes on from there")]
    Stopped {
        /// Rows that are done.
        rows: u64,
    },
    /// A signal asked for it before anything was kept.
    #[error("stopped, and nothing was written; the same command begins again")]
    StoppedEarly,
    /// A checkpoint of the file was cut off.
    #[error(
        "{} stands beside the file: a checkpoint of it was cut off. Start and stop the old service once, which finishes it, \
         then run the same command again",
        .0.display()
    )]
    HalfCheckpoint(PathBuf),
    /// The file was written to meanwhile.
    #[error(
        "{} was changed while it was read; stop the service that writes to it, then run the same command again",
        .0.display()
    )]
    Changed(PathBuf),
}

/// Names what was being done when it failed.
pub(super) trait Doing<T> {
    fn doing(self, what: &'static str) -> Result<T, MigrateError>;
}

impl<T> Doing<T> for Result<T, warrior_duckdb::Error> {
    fn doing(self, doing: &'static str) -> Result<T, MigrateError> {
        self.map_err(|source| MigrateError::DuckDb { doing, source })
    }
}

impl<T> Doing<T> for Result<T, postgres::Error> {
    fn doing(self, doing: &'static str) -> Result<T, MigrateError> {
        self.map_err(|source| MigrateError::Postgres { doing, source })
    }
}
