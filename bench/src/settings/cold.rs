//! A cold start: neither PostgreSQL's buffers nor the kernel's page cache hold a page of the data.

use std::path::Path;

/// Makes the kernel forget the pages of all files in a folder; those that wait to be written stay.
#[cfg(target_os = "linux")]
pub(super) fn forget(folder: &Path) -> anyhow::Result<()> {
    use anyhow::Context;
    use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

    let within = || format!("cannot list {}", folder.display());
    for entry in std::fs::read_dir(folder).with_context(within)? {
        let entry = entry.with_context(within)?;
        if entry.file_type()?.is_dir() {
            forget(&entry.path())?;
            continue;
        }
        let file = match std::fs::File::open(entry.path()) {
            // PostgreSQL removes files when it likes.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            file => file.with_context(|| format!("cannot open {}", entry.path().display()))?,
        };
        posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)
            .with_context(|| format!("cannot make the kernel forget {}", entry.path().display()))?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn forget(_: &Path) -> anyhow::Result<()> {
    anyhow::bail!(
        "a cold start can be measured on Linux alone; leave the setting or `--load cold` out"
    )
}
