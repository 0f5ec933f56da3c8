//! Opening of a file for reading, within bounded memory.

use std::env;
use std::path::Path;
use std::process;

use warrior_duckdb::{Access, File, Library};

use super::error::MigrateError;

/// What DuckDB may keep in memory; what needs more (a sort, a hash table) goes to temporary files.
const MEMORY_LIMIT: &str = "64MB";
/// One thread: rows come in the order in which they stand, and PostgreSQL is slower than one.
const THREADS: &str = "1";

/// Opens a file that is only read. The folder of temporary files is not DuckDB's own choice, which is beside the file:
/// that may be a place where nothing can be written.
///
/// # Errors
/// When there is no library, or the file cannot be opened.
pub fn open(library: Option<&Path>, path: &Path) -> Result<File, MigrateError> {
    let library = Library::find(library)?;
    let temporary = env::temp_dir().join(format!("warrior-api-duckdb-{}", process::id()));
    let temporary = temporary.to_string_lossy();
    let settings = [
        ("memory_limit", MEMORY_LIMIT),
        ("threads", THREADS),
        ("temp_directory", &*temporary),
    ];
    Ok(library.open(path, Access::Read, &settings)?)
}
