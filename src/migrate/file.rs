//! Opening of a file for reading, within bounded memory, and the digest by which an import knows its file again.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process;
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use warrior_duckdb::{Access, File, Library, cut_off_logs_of, log_of, logs_of};
use warrior_stack::proc::is_alive;

use super::error::MigrateError;
use super::source::{Order, Source};

/// What DuckDB may keep in memory; what needs more (a sort, a hash table) goes to temporary files.
const MEMORY_LIMIT: &str = "64MB";
/// One thread: rows come in the order in which they stand, and PostgreSQL is slower than one.
const THREADS: &str = "1";
/// What the names of folders of temporary files begin with; the process id follows.
const TEMPORARY: &str = "warrior-api-duckdb-";
/// The beginning of the names of DuckDB's temporary files.
const TEMPORARY_FILE: &str = "duckdb_temp_";
/// Bytes that are read at a time for a digest.
const READ_BYTES: usize = 256 * 1024;

/// A file that is open, as it was when its digest was taken.
pub struct Opened {
    /// The file.
    pub file: File,
    digest: Sha256,
    /// Bytes of the write-ahead log beside it, where there is one.
    pub log: Option<u64>,
}

impl Opened {
    /// What names the file, and this way of reading it: a hash of its bytes, of those of its log, of the statement,
    /// and of how skills are written.
    pub fn key(&self, source: &Source) -> String {
        let mut digest = self.digest.clone();
        digest.update(source.select(Order::Position, None));
        digest.update(format!("{:?} {}", source.skills_text, source.guessed));
        (digest.finalize().iter()).fold(String::new(), |mut key, byte| {
            let _ = write!(key, "{byte:02x}");
            key
        })
    }
}

/// Opens a file that is only read.
///
/// # Errors
/// When there is no library, or the file cannot be opened, or a checkpoint of it was cut off.
pub fn open(library: Option<&Path>, path: &Path) -> Result<File, MigrateError> {
    let path = target(path)?;
    let file = open_for(library, &path, Access::Read)?;
    match cut_off_logs_of(&path).find(|left| left.exists()) {
        None => Ok(file),
        Some(left) => Err(MigrateError::HalfCheckpoint(left)),
    }
}

/// The file that `path` leads to: DuckDB has the log of a file beside the name by which it was opened.
///
/// # Errors
/// When it is a folder, or a log stands beside a link, where it would not be found.
pub(super) fn target(path: &Path) -> Result<PathBuf, MigrateError> {
    let target = resolved(path);
    if target.is_dir() {
        return Err(MigrateError::Shape(format!(
            "{} is a folder; name the DuckDB file in it",
            path.display()
        )));
    }
    for (log, right) in logs_of(path).zip(logs_of(&target)) {
        if log.exists() && resolved(&log) != resolved(&right) {
            return Err(MigrateError::Shape(format!(
                "{} leads to {}, and {} stands beside the link: rows may be in it. Start and stop the old service once, which \
                 takes them into the file; if the log is not of this file, move it away",
                path.display(),
                target.display(),
                log.display()
            )));
        }
    }
    Ok(target)
}

/// Without links, as far as there is such a file.
pub(super) fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Opens a file. The folder of temporary files is not DuckDB's own choice, which is beside the file: that may be a place
/// where nothing can be written.
pub(super) fn open_for(
    library: Option<&Path>,
    path: &Path,
    access: Access,
) -> Result<File, MigrateError> {
    let library = Library::find(library)?;
    remove_temporary_files_of_the_killed();
    let temporary = env::temp_dir().join(format!("{TEMPORARY}{}", process::id()));
    let temporary = temporary.to_string_lossy();
    let settings = [
        ("memory_limit", MEMORY_LIMIT),
        ("threads", THREADS),
        ("temp_directory", &*temporary),
    ];
    Ok(library.open(path, access, &settings)?)
}

fn remove_temporary_files_of_the_killed() {
    for entry in fs::read_dir(env::temp_dir())
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name();
        let pid = (name.to_str()).and_then(|name| name.strip_prefix(TEMPORARY)?.parse().ok());
        // A link leads to somebody's folder.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && pid.is_some_and(|pid| !is_alive(pid)) {
            remove_temporary_files(&entry.path());
        }
    }
}

/// Removes what DuckDB wrote, and the folder where nothing else is in it: somebody's folder may have such a name. What
/// cannot be removed is another user's.
fn remove_temporary_files(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if (entry.file_name().to_string_lossy()).starts_with(TEMPORARY_FILE) {
            let _ = fs::remove_file(entry.path());
        }
    }
    let _ = fs::remove_dir(folder);
}

/// As [`open`], with a digest. The file is closed before its digest is taken: a process that closes a file gives up its
/// locks on it, those of other descriptors too (POSIX), so DuckDB's lock has to be the last one taken.
///
/// # Errors
/// As those of [`open`], when the file is changed meanwhile, and when `going_on` says no.
pub fn open_with_digest(
    library: Option<&Path>,
    path: &Path,
    going_on: &mut dyn FnMut() -> bool,
) -> Result<Opened, MigrateError> {
    let path = &*target(path)?;
    // A file that another process holds, or that is none, is told before gigabytes are read.
    drop(open(library, path)?);
    let parts = [path.to_owned(), log_of(path)];
    let mut digest = Sha256::new();
    let mut before = Vec::new();
    for part in &parts {
        before.push(add(&mut digest, part, going_on)?);
    }
    let file = open(library, path)?;
    for (part, before) in parts.iter().zip(&before) {
        if Stamp::of(part)? != *before {
            return Err(MigrateError::Changed(path.to_owned()));
        }
    }
    let log = before[1].as_ref().map(|stamp| stamp.bytes);
    Ok(Opened { file, digest, log })
}

/// Size and time of a file.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(path: &Path) -> Result<Option<Self>, MigrateError> {
        let metadata = there(fs::metadata(path)).map_err(|e| reading(path, e))?;
        Ok(metadata.map(|metadata: Metadata| Self {
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
        }))
    }
}

/// Adds the size and the bytes of a file to `digest`; none where there is no such file.
fn add(
    digest: &mut Sha256,
    path: &Path,
    going_on: &mut dyn FnMut() -> bool,
) -> Result<Option<Stamp>, MigrateError> {
    let stamp = Stamp::of(path)?;
    let Some(mut file) = there(fs::File::open(path)).map_err(|e| reading(path, e))? else {
        digest.update(u64::MAX.to_be_bytes());
        return Ok(stamp);
    };
    digest.update(stamp.as_ref().map_or(0, |stamp| stamp.bytes).to_be_bytes());
    let mut buffer = vec![0; READ_BYTES];
    loop {
        if !going_on() {
            return Err(MigrateError::StoppedEarly);
        }
        match file.read(&mut buffer) {
            Ok(0) => return Ok(stamp),
            Ok(read) => digest.update(&buffer[..read]),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(reading(path, e)),
        }
    }
}

fn there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

fn reading(path: &Path, cause: io::Error) -> MigrateError {
    MigrateError::Io {
        doing: "reading",
        path: path.to_owned(),
        cause,
    }
}
