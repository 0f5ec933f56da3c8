//! `DB_MODE=local`: the program on a DuckDB file. The contract itself is tested where it is on PostgreSQL.

mod durable;
mod equal;
mod refused;

use std::path::Path;
use std::process::Command;

use crate::program::serve;
use crate::stores::library;

/// `warrior-api serve` on the file at `path`.
fn serve_file(path: &Path) -> Command {
    let mut command = serve();
    command
        .env_remove("DB_POOL_MIN")
        .env("DB_MODE", "local")
        // Longer than a busy machine takes: a deadline that is missed would be one more 504.
        .env("REQUEST_DEADLINE_MS", "15000")
        .env("DUCKDB_FILE", path)
        .env("DUCKDB_LIBRARY", library());
    command
}
