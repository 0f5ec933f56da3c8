//! The way back: one snapshot of PostgreSQL into a DuckDB file, compared before it is kept.
//!
//! A new file is written aside (`new_file`) and renamed when it is whole and on disk (`aside`). A file that is there gets
//! what it lacks in one transaction, which commits after the comparison; its storage version and the shape of its table stay.

mod aside;
mod lock;
mod new_file;

use std::path::{Path, PathBuf};

use uuid::Uuid;
use warrior_duckdb::{Access, Connection};

use self::aside::{Aside, check_free};
use self::lock::lock_folder_of;
use self::new_file::NewFile;
use super::compare::{self, Differences, Seen, heed};
use super::error::{Doing, MigrateError};
use super::file::{open_for, target};
use super::snapshot::Snapshot;
use super::source::Source;
use super::writer::Writer;
use crate::config::{ExportArgs, SourceArgs};

/// What DuckDB needs while it writes.
const MEMORY: u64 = 72 << 20;
/// What each row of a transaction adds: its part of the index of the key stays in memory until the commit.
const MEMORY_OF_A_ROW: u64 = 128;
/// The step of an export, as progress tells it.
const WRITING: &str = "writing the file";

/// What an export did.
#[derive(Debug)]
pub struct Exported {
    /// Rows that were written.
    pub written: u64,
    /// The comparison of the file with the snapshot afterwards.
    pub found: Differences,
    /// Whether the file has `created_at`; where it has none, times are not kept.
    pub timed: bool,
    /// Whether times were written as UTC into a `created_at` without a zone.
    pub in_utc: bool,
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
/// When it failed; then the rows of the file are as they were.
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
    // A failure leaves the file and its log as they are.
    connect()?
        .run("pragma disable_checkpoint_on_shutdown")
        .doing("opening the file")?;
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
    let usual = (args.table == "warrior" && !args.names_zone())
        && (args.map.is_empty() && args.skills.is_none());
    if !usual {
        return Err(ExportError::NoShape);
    }
    let _others_wait = lock_folder_of(path)?;
    let aside = Aside::new(library, path)?;
    let mut new = NewFile::make(library, aside.path(), args)?;
    let total = snapshot.count(Uuid::max())?.rows;
    let mut rows = snapshot.rows_by_id((Uuid::nil(), Uuid::max()))?;
    let mut done = 0;
    while let Some(row) = rows.next()? {
        new.add(&rows.canonical(&row)?)?;
        done += 1;
        heed(seen(WRITING, done, total))?;
    }
    drop(rows);
    new.settle()?;
    let (connection, source) = new.reader();
    let found = compare::compare(snapshot, connection, source, seen)?;
    if found.newer > 0 || !found.is_none() {
        return Err(unequal(path, found));
    }
    let written = new.close()?;
    aside.keep_as(path)?;
    Ok(Exported {
        written,
        found,
        timed: true,
        in_utc: false,
    })
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
    source.expect_certain_form(&mut reader)?;
    let rows = source
        .count(&mut reader)?
        .max(snapshot.count(Uuid::max())?.rows);
    limit_memory(&mut reader, rows)?;
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
        return Err(unequal(&args.file, found));
    }
    let (connection, written) = writer.commit()?;
    let (timed, in_utc) = (source.has_created_at(), source.is_taken_as_utc());
    Ok((
        connection,
        Exported {
            written,
            found,
            timed,
            in_utc,
        },
    ))
}

/// Gives DuckDB the memory that a transaction of so many rows takes.
fn limit_memory(connection: &mut Connection, rows: u64) -> Result<(), MigrateError> {
    let limit = MEMORY + rows.saturating_mul(MEMORY_OF_A_ROW);
    connection
        .run(&format!("set memory_limit = '{limit}B'"))
        .doing("preparing DuckDB")
}

fn unequal(path: &Path, found: Differences) -> ExportError {
    ExportError::Unequal {
        path: path.to_owned(),
        found: Box::new(found),
    }
}
