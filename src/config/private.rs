//! Files of secrets that others can read.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::environment::{ENV_FILE, SECRETS, in_file, variable};

/// The files behind these variables, and `.env` where it holds one of them, that every user of the machine can read.
/// Group-readable files are fine: those of the containers are open to the group of the containers.
pub(super) fn open_files(names: &[&str]) -> Vec<PathBuf> {
    let named = names
        .iter()
        .filter_map(|name| variable(&format!("{name}_FILE")).ok().flatten())
        .map(PathBuf::from);
    let env_file = SECRETS.iter().any(|name| in_file(name).is_some());
    named
        .chain(env_file.then(|| PathBuf::from(ENV_FILE)))
        .filter(|path| is_open_to_all(path))
        .collect()
}

/// Whether every user of the machine can read the file. A folder that is closed to others closes everything in it.
pub(super) fn is_open_to_all(path: &Path) -> bool {
    let mode = |path: &Path| Some(path.metadata().ok()?.permissions().mode());
    let Ok(whole) = path.canonicalize() else {
        return false;
    };
    let readable = mode(&whole).is_some_and(|mode| mode & 0o004 != 0);
    let reachable = |path: &Path| mode(path).is_some_and(|mode| mode & 0o001 != 0);
    readable && whole.ancestors().skip(1).all(reachable)
}
