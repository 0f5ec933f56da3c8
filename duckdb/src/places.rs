//! Search path of the library: beside the program, then where DuckDB's archive, distributions and Homebrew put it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders of libraries that a system has; the last ones are Homebrew's.
const SYSTEM: [&str; 7] = [
    "/usr/local/lib",
    "/usr/lib64",
    "/usr/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/opt/homebrew/lib",
    "/opt/homebrew/opt/duckdb/lib",
];
const STEM: &str = if cfg!(target_os = "macos") {
    "libduckdb.dylib"
} else {
    "libduckdb.so"
};

/// The libraries that are there, in the order in which they are tried.
pub(crate) fn candidates() -> Vec<PathBuf> {
    folders()
        .iter()
        .filter_map(|folder| library_in(folder))
        .collect()
}

/// The folders that are searched. `../lib` holds it in an installed tree, and in a build tree, where the program stands
/// in `target/release`.
pub(crate) fn folders() -> Vec<PathBuf> {
    let program = env::current_exe().and_then(fs::canonicalize);
    let beside = program.ok().and_then(|p| p.parent().map(Path::to_owned));
    let own = (beside.into_iter()).flat_map(|folder| [folder.join("../lib"), folder]);
    own.chain(SYSTEM.iter().map(PathBuf::from)).collect()
}

/// `libduckdb.so`, or the highest of `libduckdb.so.*`: a distribution's package without its development part has no other.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let plain = folder.join(STEM);
    if plain.is_file() {
        return Some(plain);
    }
    let numbered = |name: &str| -> Option<Vec<u32>> {
        let numbers = name.strip_prefix(STEM)?.strip_prefix('.')?;
        numbers.split('.').map(|n| n.parse().ok()).collect()
    };
    fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| Some((numbered(&name)?, name)))
        .max()
        .map(|(_, name)| folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_name_comes_before_the_highest_numbered_one() {
        let folder = env::temp_dir().join(format!("places-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(library_in(&folder), None);
        for name in ["1.5.5", "1.10.0", "x", ""] {
            fs::write(folder.join(format!("{STEM}.{name}")), "").unwrap();
        }
        let numbered = library_in(&folder);
        fs::write(folder.join(STEM), "").unwrap();
        let plain = library_in(&folder);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(numbered, Some(folder.join(format!("{STEM}.1.10.0"))));
        assert_eq!(plain, Some(folder.join(STEM)));
    }
}
