//! The programs under test, built with the same profile.

use std::path::{Path, PathBuf};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_warrior-bench");

/// The server, in the folder of the bench's own program.
pub(crate) fn server() -> PathBuf {
    let server = Path::new(PROGRAM).with_file_name("warrior-api");
    assert!(
        server.exists(),
        "{} is missing; `cargo build` makes it (`cargo test --workspace` does, too)",
        server.display()
    );
    server
}
