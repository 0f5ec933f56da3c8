//! Privilege dropping: PostgreSQL and PgBouncer refuse root, and the server has no use for it.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid, User, geteuid, setegid, seteuid, setgid, setuid};
use sha2::{Digest, Sha256};

use crate::error::StackError;
use crate::folder::{check_content, check_path, failed, user_name};
use crate::layout;
use crate::settings::Embedded;

/// Parent of the data folder when only root can reach the one that was asked for.
const SYSTEM_DATA: &str = "/var/lib/warrior-api";

/// The result of dropping root.
#[derive(Debug)]
pub struct Unprivileged {
    /// Where the data is, as an absolute path; `None` for a throw-away stack.
    pub data: Option<PathBuf>,
    /// A sentence to print when the data is not where it was asked for.
    pub moved: Option<String>,
}

/// Drops root for good, to the owner of the data folder when there is one, else to `postgres`, else to
/// `nobody`. The data folder is made first, since that user may have no right to. `None` when the process
/// is not root's.
///
/// The call must come before any thread exists, and before anything else is opened. The working directory
/// becomes the data folder (or `/`), since the old one may now be unreadable.
///
/// # Errors
/// When there is no such user, or the data folder cannot be made or belongs to another user.
pub fn leave_root(embedded: &Embedded) -> Result<Option<Unprivileged>, StackError> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let asked = match &embedded.data {
        // Links are followed once, here, so that the target cannot change afterwards.
        Some(data) => Some(match fs::canonicalize(data) {
            Ok(existing) => existing,
            Err(_) => std::path::absolute(data).map_err(failed("find", data))?,
        }),
        None => None,
    };
    let user = user_for(asked.as_deref())?;
    let (data, moved) = match asked {
        Some(asked) => {
            check_path(&asked)?;
            let data = reachable(&asked, &user)?;
            let moved = (data != asked).then(|| {
                format!(
                    "PostgreSQL runs as the user {}, who cannot reach {}, so the data is in {}",
                    user.name,
                    asked.display(),
                    data.display()
                )
            });
            make(&data, &user)?;
            (Some(data), moved)
        }
        None => (None, None),
    };
    become_user(&user)?;
    let home = data.as_deref().unwrap_or(Path::new("/"));
    std::env::set_current_dir(home).map_err(failed("enter", home))?;
    Ok(Some(Unprivileged { data, moved }))
}

fn user_for(data: Option<&Path>) -> Result<User, StackError> {
    let owner = data
        .and_then(|data| fs::metadata(data).ok())
        .map(|metadata| Uid::from_raw(metadata.uid()))
        .filter(|uid| !uid.is_root());
    if let Some(uid) = owner
        && let Ok(Some(user)) = User::from_uid(uid)
    {
        return Ok(user);
    }
    ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| User::from_name(name).ok().flatten())
        .ok_or(StackError::NoUnprivilegedUser)
}

/// `asked`, or a folder below [`SYSTEM_DATA`] when `user` cannot get there. That folder's name is derived
/// from `asked`, so that two checkouts do not share their data.
fn reachable(asked: &Path, user: &User) -> Result<PathBuf, StackError> {
    if can_reach(asked, user)? {
        return Ok(asked.to_owned());
    }
    Ok(moved(asked))
}

fn moved(asked: &Path) -> PathBuf {
    let digest = Sha256::digest(asked.as_os_str().as_encoded_bytes());
    let tag: String = digest.iter().take(4).map(|b| format!("{b:02x}")).collect();
    let name = asked.file_name().unwrap_or_default().to_string_lossy();
    Path::new(SYSTEM_DATA).join(format!("{name}-{tag}"))
}

/// Where a stack that was asked for at `data` has its data: elsewhere, if root started it where its user could not reach.
pub(crate) fn data_of_root(data: &Path) -> PathBuf {
    let asked = fs::canonicalize(data).or_else(|_| std::path::absolute(data));
    match asked.map(|asked| moved(&asked)) {
        Ok(moved) if !layout::cluster(data).exists() && moved.exists() => moved,
        _ => data.to_owned(),
    }
}

/// An access check by the kernel, as that user, since groups, access lists and mounts all have a say.
fn can_reach(path: &Path, user: &User) -> Result<bool, StackError> {
    let existing = path
        .ancestors()
        .find(|p| p.symlink_metadata().is_ok())
        .unwrap_or(path);
    let leave = |source| StackError::LeaveRoot {
        user: user.name.clone(),
        source,
    };
    setegid(user.gid).map_err(leave)?;
    seteuid(user.uid).map_err(leave)?;
    // Looking up `.` in a folder needs the right to pass through it, and through all above it.
    let seen = fs::metadata(existing.join("."));
    seteuid(Uid::from_raw(0)).map_err(leave)?;
    setegid(Gid::from_raw(0)).map_err(leave)?;
    // Other faults of the path are reported where it is used.
    Ok(!seen.is_err_and(|e| e.kind() == io::ErrorKind::PermissionDenied))
}

/// Makes `data` and gives it to `user`; an empty folder of root's changes its owner.
fn make(data: &Path, user: &User) -> Result<(), StackError> {
    if let Some(parent) = data.parent() {
        // Readable by all, unlike the data folder itself: others have data below it.
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(parent)
            .map_err(failed("make", parent))?;
    }
    match DirBuilder::new().mode(0o700).create(data) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(failed("make", data)(e)),
        _ => {}
    }
    // Opened without following a link, so that a link cannot have root give away another folder.
    let folder = OpenOptions::new()
        .read(true)
        .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_DIRECTORY)
        .open(data)
        .map_err(failed("open", data))?;
    let owner = folder.metadata().map_err(failed("read", data))?.uid();
    if owner == user.uid.as_raw() {
        return Ok(());
    }
    if owner != 0
        || fs::read_dir(data)
            .map_err(failed("read", data))?
            .next()
            .is_some()
    {
        check_content(data)?;
        return Err(StackError::ForeignFolder {
            path: data.to_owned(),
            owner: user_name(Uid::from_raw(owner)),
            user: user.name.clone(),
        });
    }
    fchown(&folder, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
        .map_err(failed("give away", data))
}

/// Groups first, then the group, then the user: each needs the right that the last one gives up.
fn become_user(user: &User) -> Result<(), StackError> {
    let leave = |source| StackError::LeaveRoot {
        user: user.name.clone(),
        source,
    };
    set_groups(user).map_err(leave)?;
    setgid(user.gid).map_err(leave)?;
    setuid(user.uid).map_err(leave)
}

#[cfg(not(target_os = "macos"))]
fn set_groups(user: &User) -> nix::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::OsStr::from_bytes(user.name.as_bytes());
    let name = std::ffi::CString::new(name.as_bytes()).map_err(|_| nix::errno::Errno::EINVAL)?;
    nix::unistd::initgroups(&name, user.gid)
}

/// macOS asks the directory service for a process's groups, and nix offers no call to set them.
#[cfg(target_os = "macos")]
fn set_groups(_: &User) -> nix::Result<()> {
    Ok(())
}
