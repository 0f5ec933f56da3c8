//! Mutual exclusion of exports: one at a time makes a file in a folder. The lock is on the folder itself and ends with the
//! process, so that nothing is left of it.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use crate::migrate::error::MigrateError;

/// Holds the lock of the folder in which `path` will stand.
pub(super) fn lock_folder_of(path: &Path) -> Result<File, MigrateError> {
    let folder = (path.parent()).filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let shown = folder.display();
    let opened = File::open(folder).map_err(|e| {
        MigrateError::Shape(match e.kind() {
            ErrorKind::NotFound => {
                format!("there is no folder {shown}; make it with: mkdir -p {shown}")
            }
            _ => format!("{shown} is no folder that can be used: {e}; name a file in another"),
        })
    })?;
    match opened.try_lock() {
        Err(TryLockError::WouldBlock) => Err(MigrateError::Shape(format!(
            "another export makes a file in {shown}; wait for its end, then run the same command again"
        ))),
        // A file system without locks keeps none apart.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(opened),
    }
}
