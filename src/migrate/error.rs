//! Errors of the way over, each with the next command.

use std::io;
use std::path::PathBuf;

use warrior_duckdb::{LibraryError, OpenError};

use crate::store::{self, schema::SchemaError};

/// Why a file was not taken over. A cause stands in its text: as a source it would be told twice.
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
    #[error("{doing}: {cause}")]
    DuckDb {
        /// What was being done, as it stands in a sentence.
        doing: &'static str,
        /// Its words.
        cause: warrior_duckdb::Error,
    },
    /// The schema is not ready for rows.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// PostgreSQL failed.
    #[error("{doing}: {}", store::chain(.cause))]
    Postgres {
        /// What was being done, as it stands in a sentence.
        doing: &'static str,
        /// Its words.
        cause: postgres::Error,
    },
    /// PostgreSQL stopped, or the way to it broke.
    #[error(
        "{doing}: PostgreSQL ended the connection ({}); once it answers again, run the same command again",
        store::chain(.cause)
    )]
    CutOff {
        /// What was being done, as it stands in a sentence.
        doing: &'static str,
        /// Its words, or the system's.
        cause: postgres::Error,
    },
    /// The system failed.
    #[error("{doing} {}: {cause}", .path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
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
    /// The table does not keep them as they are.
    #[error(
        "{rows} rows were stored with other content than they have: a trigger on public.warrior changes them; disable it \
         (alter table public.warrior disable trigger ...), then run the same command again"
    )]
    Altered {
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

impl MigrateError {
    /// PostgreSQL failed, or is gone.
    pub(super) fn of_postgres(doing: &'static str, cause: postgres::Error) -> Self {
        match store::is_cut_off(&cause) {
            true => Self::CutOff { doing, cause },
            false => Self::Postgres { doing, cause },
        }
    }
}

/// Names what was being done when it failed.
pub(super) trait Doing<T> {
    fn doing(self, what: &'static str) -> Result<T, MigrateError>;
}

impl<T> Doing<T> for Result<T, warrior_duckdb::Error> {
    fn doing(self, doing: &'static str) -> Result<T, MigrateError> {
        self.map_err(|cause| match cause.cancelled {
            // Only a stop cancels a statement.
            true => MigrateError::StoppedEarly,
            false => MigrateError::DuckDb { doing, cause },
        })
    }
}

impl<T> Doing<T> for Result<T, postgres::Error> {
    fn doing(self, doing: &'static str) -> Result<T, MigrateError> {
        self.map_err(|cause| MigrateError::of_postgres(doing, cause))
    }
}
