//! The data folder: private by mode, exclusive by a file lock, and removed when it is a throw-away one.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::{Uid, User, geteuid};

use crate::error::StackError;
use crate::layout;
use crate::passwords;
use crate::process::wait_until;

/// Longest path of a data folder: PostgreSQL handles 1023 bytes, and the longest path inside takes some 100.
const PATH_BYTES_MAX: usize = 900;
const THROW_AWAY: &str = "warrior-api-";
const LOCK: &str = "lock";
/// The file that makes a folder a throw-away one. A kept folder may have any name, and a lock that nobody holds.
const THROW_AWAY_MARK: &str = "throw-away";
const NEXT: &str = "check who owns it and its disk, or choose another folder with DATA_DIR";

/// A data folder that this process alone uses, until it is dropped.
pub(crate) struct Folder {
    path: PathBuf,
    throw_away: bool,
    /// The kernel releases the lock when this process ends, however it ends.
    _lock: File,
}

impl Folder {
    /// Opens `data`, which is made where it is missing; `None` makes a throw-away folder.
    pub(crate) fn open(data: Option<&Path>) -> Result<Self, StackError> {
        let (path, lock) = match data {
            Some(data) => {
                let path = make(data)?;
                let lock = lock(&path)?;
                keep(&path)?;
                (path, lock)
            }
            None => make_throw_away()?,
        };
        let folder = Self {
            path,
            throw_away: data.is_none(),
            _lock: lock,
        };
        let secrets = layout::secrets(&folder.path);
        for part in [
            layout::logs(&folder.path),
            layout::pooler(&folder.path),
            secrets.clone(),
        ] {
            private_dir(&part)?;
        }
        passwords::generate_missing(&folder.path).map_err(failed("write into", &secrets))?;
        Ok(folder)
    }

    /// The absolute path, without symbolic links.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the folder is removed at the end.
    pub(crate) fn is_throw_away(&self) -> bool {
        self.throw_away
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.throw_away {
            remove_all(&self.path);
        }
    }
}

/// Writes a configuration file that its owner alone may read, unless the file holds that text already.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), StackError> {
    // Truncation on a full disk would destroy a file that is right.
    if fs::read(path).is_ok_and(|held| held == text.as_bytes()) {
        return Ok(());
    }
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(text.as_bytes())
    };
    write().map_err(failed("write", path))
}

/// Turns what the system said about `path` into a sentence.
pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StackError {
    let path = path.to_owned();
    move |source| StackError::Folder {
        action,
        path,
        source,
        next: NEXT,
    }
}

/// Refuses paths that the programs or their configuration files cannot handle.
pub(crate) fn check_path(path: &Path) -> Result<(), StackError> {
    let odd = || StackError::OddPath {
        path: path.to_owned(),
    };
    let text = path.to_str().ok_or_else(odd)?;
    if text.chars().any(char::is_control) {
        return Err(odd());
    }
    if text.len() > PATH_BYTES_MAX {
        return Err(StackError::PathTooLong {
            path: path.to_owned(),
            length: text.len(),
            most: PATH_BYTES_MAX,
        });
    }
    Ok(())
}

/// Refuses a folder with files of others, so that nothing of the user's is mixed in.
pub(crate) fn check_content(path: &Path) -> Result<(), StackError> {
    let mut entries = fs::read_dir(path).map_err(failed("read", path))?;
    if entries.next().is_some() && !path.join(LOCK).exists() {
        return Err(StackError::OccupiedFolder {
            path: path.to_owned(),
        });
    }
    Ok(())
}

fn make(data: &Path) -> Result<PathBuf, StackError> {
    let data = std::path::absolute(data).map_err(failed("find", data))?;
    check_path(&data)?;
    if let Some(parent) = data.parent() {
        fs::create_dir_all(parent).map_err(failed("make", parent))?;
    }
    own_dir(&data)?;
    let path = fs::canonicalize(&data).map_err(failed("read", &data))?;
    check_path(&path)?;
    check_content(&path)?;
    // What is refused stays as open as it was.
    make_private(&path)?;
    Ok(path)
}

/// Makes `path` with mode 0700, or restores that mode on a folder of this user.
fn private_dir(path: &Path) -> Result<(), StackError> {
    own_dir(path)?;
    make_private(path)
}

/// Makes `path` with mode 0700, or finds a folder of this user.
fn own_dir(path: &Path) -> Result<(), StackError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed("make", path)(e));
        }
        _ => {}
    }
    let metadata = fs::metadata(path).map_err(failed("read", path))?;
    if metadata.uid() != geteuid().as_raw() {
        return Err(StackError::ForeignFolder {
            path: path.to_owned(),
            owner: user_name(Uid::from_raw(metadata.uid())),
            user: user_name(geteuid()),
        });
    }
    Ok(())
}

fn make_private(path: &Path) -> Result<(), StackError> {
    let metadata = fs::metadata(path).map_err(failed("read", path))?;
    if metadata.mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
            .map_err(failed("make private", path))?;
    }
    Ok(())
}

/// The user's name, or the number where there is none.
pub(crate) fn user_name(uid: Uid) -> String {
    match User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        _ => format!("user {uid}"),
    }
}

fn lock(folder: &Path) -> Result<File, StackError> {
    let path = folder.join(LOCK);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed("write", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // The id is only for the sentence; a holder writes it right after it has locked.
            wait_until(Duration::from_millis(500), || {
                file.read_to_string(&mut holder).is_ok() && !holder.is_empty()
            });
            return Err(StackError::Locked {
                path: folder.to_owned(),
                holder: holder.trim().to_owned(),
            });
        }
        Err(TryLockError::Error(e)) => return Err(failed("lock", &path)(e)),
    }
    let write_id = |file: &mut File| {
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())
    };
    write_id(&mut file).map_err(failed("write", &path))?;
    Ok(file)
}

/// Takes the mark off a throw-away folder that somebody has named as their own.
fn keep(folder: &Path) -> Result<(), StackError> {
    let mark = folder.join(THROW_AWAY_MARK);
    match fs::remove_file(&mark) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed("remove", &mark)(e)),
        _ => Ok(()),
    }
}

/// A new folder takes its final name only once its lock is held, so that [`abandoned`] of
/// another process never lists it.
fn make_throw_away() -> Result<(PathBuf, File), StackError> {
    let temp = std::env::temp_dir();
    let temp = fs::canonicalize(&temp).map_err(failed("find", &temp))?;
    let id = uuid::Uuid::new_v4().simple();
    let unlocked = temp.join(format!(".{THROW_AWAY}{id}"));
    let path = temp.join(format!("{THROW_AWAY}{id}"));
    check_path(&path)?;
    private_dir(&unlocked)?;
    let locked = lock(&unlocked).and_then(|file| {
        fs::write(unlocked.join(THROW_AWAY_MARK), "")
            .and_then(|()| fs::rename(&unlocked, &path))
            .map_err(failed("make", &path))
            .map(|()| file)
    });
    match locked {
        Ok(file) => Ok((path, file)),
        Err(e) => {
            remove_all(&unlocked);
            Err(e)
        }
    }
}

/// The throw-away folders of this user whose process is gone, each locked against other cleaners.
pub(crate) fn abandoned() -> Vec<Folder> {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|e| e.file_name().to_string_lossy().starts_with(THROW_AWAY))
        .filter(|e| {
            e.metadata()
                .is_ok_and(|m| m.is_dir() && m.uid() == geteuid().as_raw())
        })
        .filter(|e| e.path().join(THROW_AWAY_MARK).is_file())
        .filter_map(|e| {
            let path = e.path();
            let _lock = lock(&path).ok()?;
            Some(Folder {
                path,
                throw_away: true,
                _lock,
            })
        })
        .collect()
}

/// A removal with retries: backends of a killed PostgreSQL may write for a moment longer.
fn remove_all(path: &Path) {
    wait_until(Duration::from_secs(5), || match fs::remove_dir_all(path) {
        Err(e) => e.kind() == io::ErrorKind::NotFound,
        Ok(()) => true,
    });
}
