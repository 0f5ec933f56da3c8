//! What a killed run left behind: processes of this very data folder, and their files.
//!
//! A process is known by the id in its own pid file, and believed only when its command line names
//! this folder's files or it works in this folder; ids are used again, most of all in containers.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::error::StackError;
use crate::folder::Folder;
use crate::process::{is_alive, is_taken, stop_foreign};
use crate::{cluster, pooler};

/// Stops both leftovers. The caller holds the folder's lock, so nobody else runs them.
pub(crate) fn stop(folder: &Folder, progress: &mut dyn FnMut(&str)) -> Result<(), StackError> {
    let pooler_pid = pooler::pid_file(folder.path());
    if let Some(pid) = leftover(&pooler_pid, &pooler::main_ini(folder.path())) {
        progress(&format!(
            "Stopping PgBouncer (process {pid}), which an earlier run left behind"
        ));
        stop_foreign(pid, pooler::STOP_LEFTOVER)?;
    }
    remove(&pooler_pid)?;
    if let Some(pid) = postmaster(folder) {
        progress(&format!(
            "Stopping PostgreSQL (process {pid}), which an earlier run left behind"
        ));
        stop_foreign(pid, cluster::STOP)?;
    }
    Ok(())
}

/// The running postmaster of this folder, whoever started it.
pub(crate) fn postmaster(folder: &Folder) -> Option<u32> {
    let cluster = cluster::path(folder.path());
    read_pid(&cluster::pid_file(folder.path())).filter(|&pid| {
        // pg_ctl may be given the path in another form, or in PGDATA; the postmaster works in the cluster.
        is_alive(pid)
            && (has_argument(pid, &cluster)
                || fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == cluster))
    })
}

/// Removes a pid file that names a stranger or a zombie, either of which PostgreSQL takes for its other self.
/// Orphaned backends are still found, by the shared memory that they hold and whose key PostgreSQL derives
/// from the folder's inode.
pub(crate) fn forget_postmaster(folder: &Folder) -> Result<(), StackError> {
    let pid_file = cluster::pid_file(folder.path());
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

fn has_argument(pid: u32, argument: &Path) -> bool {
    let argument = argument.to_string_lossy();
    if let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) {
        return line
            .split(|b| *b == 0)
            .any(|word| word == argument.as_bytes());
    }
    // No /proc on macOS. The path is absolute, so finding it anywhere in the line is proof enough.
    Command::new("ps")
        .args(["-o", "args=", "-p", &pid.to_string()])
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(argument.as_ref()))
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
