//! The way back: one snapshot of PostgreSQL into a DuckDB file, compared before it is kept.
//!
//! A new file is written aside and renamed when it is whole and on disk. A file that is there gets what it lacks in one
//! transaction, which commits after the comparison; its storage version and the shape of its table stay.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;
use warrior_duckdb::{Access, Connection, OpenError};

use super::compare::{self, Differences, Seen};
use super::error::{Doing, MigrateError};
use super::file::{CUT_OFF, beside, log_of, open_for, target};
use super::snapshot::Snapshot;
use super::source::{Source, literal};
use super::writer::Writer;
use crate::config::{ExportArgs, SourceArgs};

/// The table of a new file, the same that `DB_MODE=local` makes.
const TABLE: &str = include_str!("../store/duckdb/sql/table.sql");
/// The oldest storage version, which every DuckDB since 1.0 opens; a new file would otherwise be one for 2.0 alone.
const STORAGE_VERSION: &str = "v1.0.0";
/// What DuckDB needs while it writes, and what each row adds: the index of the primary key stays in memory until it is
/// written as a whole.
const MEMORY: u64 = 72 << 20;
const MEMORY_OF_A_ROW: u64 = 128;

/// What an export did.
#[derive(Debug)]
pub struct Exported {
    /// Rows that were written.
    pub written: u64,
    /// The comparison of the file with the snapshot afterwards.
    pub found: Differences,
    /// Whether the file has `created_at`; where it has none, times are not kept.
    pub timed: bool,
}

/// Why nothing was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A file that is there is changed only when that is asked for.
    #[error(
        "{} exists, and an export makes a new file: name another, or add what is new to this one with --add",
        .0.display()
    )]
    Exists(PathBuf),
    /// A log would be replayed into the new file.
    #[error(
        "{} is there, and DuckDB would take its rows into a new file of that name; it belongs to an older one: move it \
         away, together with that",
        .0.display()
    )]
    Log(PathBuf),
    /// New rows would get the time of the export.
    #[error(
        "the table in {} has a created_at, and --map created_at= would give new rows another time than PostgreSQL has; \
         leave that flag out",
        .0.display()
    )]
    Untimed(PathBuf),
    /// A new file has one shape.
    #[error(
        "--table, --map, --skills and --time-zone describe a file that is there: give them together with --add, or leave \
         them out"
    )]
    NoShape,
    /// What was written is not what was read.
    #[error(
        "the rows that were written to {} do not read back as PostgreSQL has them, so nothing was kept; export into a new \
         file instead (without --add)\n{found}",
        .path.display()
    )]
    Unequal {
        /// The file.
        path: PathBuf,
        /// What differs.
        found: Box<Differences>,
    },
    /// Reading or writing failed.
    #[error(transparent)]
    Failed(#[from] MigrateError),
}

/// Writes the warriors of a snapshot to the file that `args` name.
///
/// # Errors
/// When it failed; then the file is as it was.
pub fn export(
    library: Option<&Path>,
    args: &ExportArgs,
    snapshot: &mut Snapshot<'_>,
    seen: Seen<'_>,
) -> Result<Exported, ExportError> {
    match args.add {
        true => add(library, &args.source, snapshot, seen),
        false => create(library, &args.source, snapshot, seen),
    }
}

fn add(
    library: Option<&Path>,
    args: &SourceArgs,
    snapshot: &mut Snapshot<'_>,
    seen: Seen<'_>,
) -> Result<Exported, ExportError> {
    let file = open_for(library, &target(&args.file)?, Access::Write)?;
    let connect = || file.connect().doing("opening the file");
    if args.name_of("created_at").is_none() {
        let mut plain = args.clone();
        plain.map.retain(|one| one.column != "created_at");
        if Source::find(&mut connect()?, &plain)?.has_created_at() {
            return Err(ExportError::Untimed(args.file.clone()));
        }
    }
    let (mut connection, exported) = fill(connect()?, connect()?, args, snapshot, seen)?;
    // Its log would be one of the newer DuckDB's.
    connection
        .run("checkpoint")
        .doing("finishing the file, which holds the rows in its .wal")?;
    Ok(exported)
}

fn create(
    library: Option<&Path>,
    args: &SourceArgs,
    snapshot: &mut Snapshot<'_>,
    seen: Seen<'_>,
) -> Result<Exported, ExportError> {
    let path = &args.file;
    check_free(path)?;
    let usual = (args.table == "warrior" && args.time_zone == "UTC")
        && (args.map.is_empty() && args.skills.is_none());
    if !usual {
        return Err(ExportError::NoShape);
    }
    let aside = Aside::new(library, path)?;
    let exported = {
        let memory = open_for(library, Path::new(":memory:"), Access::Create)?;
        let connect = || memory.connect().doing("opening DuckDB");
        let mut first = connect()?;
        let at = literal(&aside.0.to_string_lossy());
        let making = "making the file";
        first
            .run(&format!(
                "attach {at} as exported (storage_version '{STORAGE_VERSION}')"
            ))
            .doing(making)?;
        let mut second = connect()?;
        for connection in [&mut first, &mut second] {
            connection.run("use exported").doing(making)?;
        }
        first.run(TABLE).doing(making)?;
        let (mut connection, exported) = fill(second, first, args, snapshot, seen)?;
        // Detaching writes all that is in the log into the file.
        ["checkpoint exported", "use memory", "detach exported"]
            .into_iter()
            .try_for_each(|sql| connection.run(sql))
            .doing("finishing the file")?;
        exported
    };
    aside.keep_as(path)?;
    Ok(exported)
}

/// Adds what `reader` does not see in the file through `writer`, compares, and commits.
fn fill(
    mut reader: Connection,
    writer: Connection,
    args: &SourceArgs,
    snapshot: &mut Snapshot<'_>,
    seen: Seen<'_>,
) -> Result<(Connection, Exported), ExportError> {
    let source = Source::find(&mut reader, args)?;
    let rows = source
        .count(&mut reader)?
        .max(snapshot.count(Uuid::max())?.rows);
    let limit = MEMORY + rows.saturating_mul(MEMORY_OF_A_ROW);
    reader
        .run(&format!("set memory_limit = '{limit}B'"))
        .doing("preparing DuckDB")?;
    let mut writer = Writer::begin(writer, &source)?;
    let before = compare::compare_and_give(snapshot, &mut reader, &source, seen, &mut |row| {
        writer.add(row)
    })?;
    writer.flush()?;
    drop(reader);
    // What a connection keeps beside the file is its own.
    let source = Source::find(writer.connection(), args)?;
    let found = compare::compare(snapshot, writer.connection(), &source, seen)?;
    let faults = |found: &Differences| {
        [&found.missing, &found.changed, &found.repeated].map(|named| named.rows)
    };
    if found.newer > 0 || faults(&found) != faults(&before) {
        return Err(ExportError::Unequal {
            path: args.file.clone(),
            found: Box::new(found),
        });
    }
    let (connection, written) = writer.commit()?;
    let timed = source.has_created_at();
    Ok((
        connection,
        Exported {
            written,
            found,
            timed,
        },
    ))
}

/// Nothing of that name is there, and nothing that DuckDB would take for its log.
fn check_free(path: &Path) -> Result<(), ExportError> {
    if path.symlink_metadata().is_ok() {
        return Err(ExportError::Exists(path.to_owned()));
    }
    match beside(path, &[".wal"]).or_else(|| beside(path, &CUT_OFF)) {
        None => Ok(()),
        Some(log) => Err(ExportError::Log(log)),
    }
}

/// The file while it is being written, beside its later place. It is removed unless it is kept.
struct Aside(PathBuf);

impl Aside {
    /// A name that an earlier export may have left behind; one that is still running holds it.
    fn new(library: Option<&Path>, path: &Path) -> Result<Self, MigrateError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let aside = path.with_file_name(format!(".{name}.exporting"));
        if aside.exists() {
            let opened = open_for(library, &aside, Access::Write);
            if let Err(held @ MigrateError::Open(OpenError::Held { .. })) = opened {
                return Err(held);
            }
        }
        let aside = Self(aside);
        aside.remove();
        Ok(aside)
    }

    fn log(&self) -> PathBuf {
        log_of(&self.0)
    }

    fn remove(&self) {
        let _ = fs::remove_file(&self.0);
        let _ = fs::remove_file(self.log());
    }

    /// Gives the file its name, once it is on disk. A link is made, which fails on a name that is taken meanwhile; a rename
    /// would replace that file, and is left to file systems without links.
    fn keep_as(self, path: &Path) -> Result<(), ExportError> {
        check_free(path)?;
        let folder = (path.parent()).filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let done = match self.log().exists() {
            true => Err(io::Error::other("DuckDB left rows in its log")),
            false => synced(&self.0)
                .and_then(|()| match fs::hard_link(&self.0, path) {
                    Err(e) if e.kind() != io::ErrorKind::AlreadyExists => fs::rename(&self.0, path),
                    linked => linked,
                })
                .and_then(|()| {
                    fs::remove_file(&self.0).or_else(|e| match e.kind() {
                        io::ErrorKind::NotFound => Ok(()),
                        _ => Err(e),
                    })
                })
                .and_then(|()| synced(folder)),
        };
        done.map_err(|cause| {
            if cause.kind() == io::ErrorKind::AlreadyExists {
                return ExportError::Exists(path.to_owned());
            }
            let (doing, path) = ("finishing", path.to_owned());
            MigrateError::Io {
                doing,
                path,
                cause,
            }
            .into()
        })
    }
}

fn synced(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.remove();
    }
}
