//! Crash recovery: the processes and files that a killed run left behind.
//!
//! A process is known by the id in its own pid file. The id counts only when the command line of the process
//! names this folder's files, or its working directory is this folder. Ids are used again, most of all in
//! containers.

use std::fs;
use std::path::Path;

use crate::error::StackError;
use crate::folder::{self, Folder};
use crate::ladders;
use crate::layout;
use crate::proc::{has_argument, is_alive, is_taken, works_in};
use crate::process::stop_foreign;

/// Stops both leftovers of `folder`. The caller holds the folder's lock, so no other stack runs them.
pub(crate) fn stop(folder: &Folder, progress: &mut dyn FnMut(&str)) -> Result<(), StackError> {
    let pooler_pid = layout::pooler_pid(folder.path());
    if let Some(pid) = leftover(&pooler_pid, &layout::pooler_ini(folder.path())) {
        progress(&format!(
            "Stopping PgBouncer (process {pid}), which an earlier run left behind"
        ));
        stop_foreign(pid, ladders::POOLER_LEFTOVER)?;
    }
    remove(&pooler_pid)?;
    if let Some(pid) = postmaster(folder) {
        progress(&format!(
            "Stopping PostgreSQL (process {pid}), which an earlier run left behind"
        ));
        stop_foreign(pid, ladders::POSTGRES)?;
    }
    Ok(())
}

/// Removes the throw-away stacks that killed processes of this user left behind. A stack that cannot be removed waits
/// for another run: neither its ports nor its folder are needed again.
pub(crate) fn remove_abandoned() {
    for folder in folder::abandoned() {
        // Dropping the folder removes it, and its processes must end before.
        if stop(&folder, &mut |_| {}).is_err() {
            std::mem::forget(folder);
        }
    }
}

/// The running postmaster of this folder, also one that another program started.
pub(crate) fn postmaster(folder: &Folder) -> Option<u32> {
    let cluster = layout::cluster(folder.path());
    read_pid(&layout::postmaster_pid(folder.path())).filter(|&pid| {
        // pg_ctl may be given the path in another form, or in PGDATA; the postmaster works in the cluster.
        is_alive(pid) && (has_argument(pid, &cluster) || works_in(pid, &cluster))
    })
}

/// Removes a pid file that names a stranger or a zombie, either of which PostgreSQL takes for its other self.
/// Orphaned backends are still found: they hold shared memory whose key PostgreSQL derives from the
/// folder's inode.
pub(crate) fn forget_postmaster(folder: &Folder) -> Result<(), StackError> {
    let pid_file = layout::postmaster_pid(folder.path());
    if read_pid(&pid_file).is_some_and(is_taken) && postmaster(folder).is_none() {
        remove(&pid_file)?;
    }
    Ok(())
}

fn leftover(pid_file: &Path, argument: &Path) -> Option<u32> {
    read_pid(pid_file).filter(|&pid| is_alive(pid) && has_argument(pid, argument))
}

fn read_pid(pid_file: &Path) -> Option<u32> {
    let text = fs::read_to_string(pid_file).ok()?;
    text.lines().next()?.trim().parse().ok()
}

fn remove(file: &Path) -> Result<(), StackError> {
    match fs::remove_file(file) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(StackError::Folder {
            action: "remove the stale",
            path: file.to_owned(),
            source,
            next: "remove it by hand, then run this again",
        }),
        _ => Ok(()),
    }
}
