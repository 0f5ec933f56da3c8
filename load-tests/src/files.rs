//! Atomic file replacement: written aside, brought to the disk, renamed.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use anyhow::Context;

/// Writes a file that is there whole or not at all.
///
/// # Errors
/// Names the file and why it cannot be written; what it held before stays.
pub fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    let aside = path.with_added_extension("part");
    let written = File::create(&aside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, path)
    });
    written
        // The first error is the cause of all others.
        .inspect_err(|_| drop(fs::remove_file(&aside)))
        .with_context(|| {
            format!(
                "cannot write {}; make room there, or name another directory with --out",
                path.display()
            )
        })
}

/// Makes the directory that results go to.
///
/// # Errors
/// Names the directory and the flag that chose it.
pub fn create_directory(path: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(path)
        .with_context(|| format!("cannot create the directory {} (--out)", path.display()))
}
