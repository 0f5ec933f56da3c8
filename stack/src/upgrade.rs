//! Detection of package upgrades under a running stack, by the metadata of its files.
//!
//! After an upgrade the old server goes on, but its new backends load the new libraries and may fail
//! (SQLSTATE 58P01, undefined symbol) until a restart. Debian restarts only its own clusters.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::programs;
use crate::version::Version;

/// How often the files are checked.
const FILE_CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// A debounce: how long no file may have changed before the package manager is taken to be done.
const SETTLE_TIME: Duration = Duration::from_secs(3);
/// dpkg's extension of a file that is unpacked and not yet in its place.
const UNPACKED: &str = "dpkg-new";

/// A program that runs, and its file on the disk.
pub(crate) struct Watch {
    program: PathBuf,
    folders: Vec<PathBuf>,
    /// The file when the program was started.
    started: Option<Fingerprint>,
    /// A file that is not to be started.
    refused: Option<Fingerprint>,
    changing: Option<Changing>,
    next_check: Instant,
}

/// A fingerprint of a file, from its metadata. The inode is no part of it: on layered file systems an inode
/// changes without a write.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Fingerprint {
    length: u64,
    modified: Option<SystemTime>,
}

struct Changing {
    files: Vec<(PathBuf, Fingerprint)>,
    since: Instant,
}

impl Watch {
    /// Begins with `program` as it is on the disk; `folders` hold what is replaced together with it.
    pub(crate) fn new(program: PathBuf, folders: Vec<PathBuf>) -> Self {
        Self {
            started: fingerprint(&program),
            program,
            folders,
            refused: None,
            changing: None,
            next_check: Instant::now() + FILE_CHECK_INTERVAL,
        }
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// A sentence about the new program, once it is complete, runs, and is `wanted`; never blocks while
    /// nothing has changed.
    pub(crate) fn replaced(
        &mut self,
        name: &str,
        variable: &'static str,
        wanted: impl Fn(Version) -> bool,
    ) -> Option<String> {
        let now = Instant::now();
        if now < self.next_check {
            return None;
        }
        self.next_check = now + FILE_CHECK_INTERVAL;
        if !self.has_settled(now) {
            return None;
        }
        let program = self.program.display();
        let refusal = match programs::version_of(&self.program, variable) {
            Ok(version) if wanted(version) => {
                return Some(format!("{program} is version {version} now"));
            }
            Ok(version) => format!("{program} is version {version} now, which cannot take over"),
            Err(e) => e.to_string(),
        };
        tracing::warn!("{name} was replaced, but the one that runs is kept: {refusal}");
        self.refused = fingerprint(&self.program);
        None
    }

    /// Whether the program differs from the one that was started, and no file beside it changes any more.
    fn has_settled(&mut self, now: Instant) -> bool {
        let fingerprint = fingerprint(&self.program);
        if fingerprint == self.started || fingerprint == self.refused {
            self.changing = None;
            return false;
        }
        let files = self.files();
        let unpacking = files
            .iter()
            .any(|(path, _)| path.extension().is_some_and(|e| e == UNPACKED));
        match &self.changing {
            Some(changing) if changing.files == files => {
                fingerprint.is_some() && !unpacking && now >= changing.since + SETTLE_TIME
            }
            _ => {
                self.changing = Some(Changing { files, since: now });
                false
            }
        }
    }

    /// Every file that may be replaced together with the program, in a stable order.
    fn files(&self) -> Vec<(PathBuf, Fingerprint)> {
        let unpacked = self.program.with_added_extension(UNPACKED);
        let mut files: Vec<_> = self
            .folders
            .iter()
            .filter_map(|folder| fs::read_dir(folder).ok())
            .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
            .chain([self.program.clone(), unpacked])
            .filter_map(|path| fingerprint(&path).map(|fingerprint| (path, fingerprint)))
            .collect();
        files.sort_by(|a, b| a.0.cmp(&b.0));
        files
    }
}

/// `None` when there is no such file.
fn fingerprint(path: &Path) -> Option<Fingerprint> {
    let metadata = fs::metadata(path).ok()?;
    Some(Fingerprint {
        length: metadata.len(),
        modified: metadata.modified().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_program_is_taken_once_its_package_is_complete() {
        let folder =
            std::env::temp_dir().join(format!("upgrade-{}", uuid::Uuid::new_v4().simple()));
        let (bin, lib) = (folder.join("bin"), folder.join("lib"));
        fs::create_dir_all(&bin).unwrap();
        fs::create_dir_all(&lib).unwrap();
        let program = bin.join("postgres");
        fs::write(&program, "old").unwrap();
        let mut watch = Watch::new(program.clone(), vec![bin.clone(), lib.clone()]);
        let mut now = Instant::now();
        let mut later = |watch: &mut Watch| {
            now += SETTLE_TIME;
            watch.has_settled(now)
        };
        assert!(!later(&mut watch) && !later(&mut watch));
        // Another extension that is installed is no reason to restart.
        fs::write(lib.join("postgis.so"), "new").unwrap();
        assert!(!later(&mut watch) && !later(&mut watch));

        // dpkg unpacks all files of a package, and then renames one after the other.
        fs::write(lib.join("plpgsql.so.dpkg-new"), "newer").unwrap();
        fs::remove_file(&program).unwrap();
        assert!(!later(&mut watch) && !later(&mut watch));
        fs::write(&program, "newer").unwrap();
        assert!(!later(&mut watch) && !later(&mut watch));
        fs::rename(lib.join("plpgsql.so.dpkg-new"), lib.join("plpgsql.so")).unwrap();
        assert!(!later(&mut watch), "it has only just changed");
        fs::write(lib.join("plpgsql.so"), "newer still").unwrap();
        assert!(!later(&mut watch), "it has changed again");
        assert!(later(&mut watch));

        // Put back as it was.
        watch.started = fingerprint(&program);
        assert!(!later(&mut watch) && !later(&mut watch));
        fs::remove_dir_all(&folder).unwrap();
    }
}
