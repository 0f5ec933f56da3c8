//! The programs under test, built with the same profile.

use std::path::{Path, PathBuf};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_warrior-bench");

/// The server, in the folder of the bench's own program.
pub(crate) fn server() -> PathBuf {
    beside("warrior-api")
}

/// The peers, in the same folder.
pub(crate) fn peers() -> PathBuf {
    beside("warrior-peers")
}

fn beside(name: &str) -> PathBuf {
    let program = Path::new(PROGRAM).with_file_name(name);
    assert!(
        program.exists(),
        "{} is missing; `cargo build --workspace` makes it (`cargo test --workspace` does, too)",
        program.display()
    );
    program
}
