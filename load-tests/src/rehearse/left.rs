//! What a rehearsal that was killed has left: the half of an exported file.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

/// Removes the halves that no process holds, with their logs.
///
/// # Errors
/// When the folder cannot be read, or one cannot be removed.
pub(super) fn remove(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_half = name.starts_with(".rehearsal-") && name.ends_with(".duckdb.exporting");
        if !is_half || is_held(&path)? {
            continue;
        }
        let log = path.with_extension("exporting.wal");
        if log.exists() {
            fs::remove_file(log)?;
        }
        fs::remove_file(&path)?;
    }
    Ok(())
}

/// Whether a process has the lock that DuckDB takes on an open file.
fn is_held(path: &Path) -> io::Result<bool> {
    let exclusive = libc::F_WRLCK as libc::c_short;
    let mut lock = libc::flock {
        l_type: exclusive,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    let file = File::open(path)?;
    fcntl(&file, FcntlArg::F_GETLK(&mut lock))?;
    Ok(lock.l_type != libc::F_UNLCK as libc::c_short)
}
