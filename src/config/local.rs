//! The DuckDB file of `DB_MODE=local`, and the library that opens it.
//!
//! `DUCKDB_FILE`, `DUCKDB_LIBRARY`.

use std::path::PathBuf;

use clap::Args;

use super::error::ConfigError;

/// A DuckDB file to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// `DUCKDB_FILE`: made where it is missing.
    pub file: PathBuf,
    /// `DUCKDB_LIBRARY`: the `libduckdb` to load; none takes the first one that is found.
    pub library: Option<PathBuf>,
    /// `DUCKDB_WAL_AUTOCHECKPOINT`: DuckDB's setting of this name, for tests; none leaves its 16 MB.
    pub checkpoint_at: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct LocalArgs {
    /// The DuckDB file that DB_MODE=local serves; it is made where it is missing
    #[arg(long, env = "DUCKDB_FILE", value_name = "DUCKDB_FILE")]
    pub(super) duckdb_file: Option<PathBuf>,
    /// The libduckdb to load [default: the first of ../lib beside the program and the system's folders]
    #[arg(long, env = "DUCKDB_LIBRARY", value_name = "DUCKDB_LIBRARY")]
    pub(super) duckdb_library: Option<PathBuf>,
    /// The size of the write-ahead log from which a commit writes it into the file
    #[arg(
        long,
        env = "DUCKDB_WAL_AUTOCHECKPOINT",
        value_name = "DUCKDB_WAL_AUTOCHECKPOINT",
        hide = true
    )]
    pub(super) duckdb_wal_autocheckpoint: Option<String>,
}

impl LocalArgs {
    /// # Errors
    /// When no file is named.
    pub(super) fn resolve(&self) -> Result<Local, ConfigError> {
        if !cfg!(feature = "duckdb") {
            return Err(ConfigError(
                "DB_MODE=local needs DuckDB, which this program was built without; build it with: cargo build \
                 --release --features duckdb"
                    .to_owned(),
            ));
        }
        let file = (self.duckdb_file.clone()).filter(|file| !file.as_os_str().is_empty());
        let file = file.ok_or_else(|| {
            ConfigError(
                "DB_MODE=local serves a DuckDB file, and DUCKDB_FILE is not set; set it to the path of the file, which \
                 is made where it is missing"
                    .to_owned(),
            )
        })?;
        let library = self.duckdb_library.clone();
        let checkpoint_at = self.duckdb_wal_autocheckpoint.clone();
        Ok(Local {
            file,
            library,
            checkpoint_at,
        })
    }
}
