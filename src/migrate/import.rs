//! The import: the rows of a file in chunks, each a COPY into a temporary table and an insert from there, in a transaction
//! with its progress.
//!
//! Nothing is ever overwritten: a row whose id is there stays as it is there, and is compared instead.

use std::io::Write;

use postgres::{Client, Transaction};
use uuid::Uuid;
use warrior_duckdb::Connection;

use super::encode::Encoded;
use super::error::{Doing, MigrateError};
use super::progress::{self, Done};
use super::row::Batch;
use super::source::{Order, Source};
use crate::store::schema;

/// Most rows of a chunk: as many as are worth a flush of the pending lists (`store/postgres/backlog.rs`), where there are any.
const CHUNK_ROWS: u64 = 20_000;
/// Makes the table of a chunk.
const CHUNK_TABLE: &str = concat!(
    include_str!("sql/postgres/chunk_table.sql"),
    include_str!("sql/postgres/rows.sql"),
    " with no data"
);
/// Most bytes of a chunk: it is in memory once here and once in PostgreSQL's `temp_buffers`.
const CHUNK_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of one message to PostgreSQL.
const MESSAGE_BYTES: usize = 64 * 1024;
/// Fewer rows than this are not worth building the search indexes again.
const DEFER_INDEXES_FROM: u64 = 10_000;

/// One import of a file into a database.
pub struct Import<'i> {
    /// The table in the file.
    pub source: &'i Source,
    /// The file.
    pub file: &'i mut Connection,
    /// A direct session of the owner, in which the schema [has begun a load](schema::begin_load).
    pub owner: &'i mut Client,
    /// What names this file, and this way of reading it, in the database.
    pub key: &'i str,
    /// The rows that will be taken.
    pub rows: u64,
    /// Whether nothing is written, only looked at.
    pub dry_run: bool,
}

impl Import<'_> {
    /// What an earlier run has done; nothing, and `told` hears of it, where any of its rows is gone or another since.
    /// `going_on` is told the rows that were compared, and says whether to.
    ///
    /// # Errors
    /// When the file or PostgreSQL fails, or it was stopped.
    pub fn done(
        &mut self,
        told: &mut dyn FnMut(String),
        going_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Done, MigrateError> {
        let done = match self.dry_run {
            true => None,
            false => progress::read(self.owner, self.key)?,
        };
        let Some(done) = done else {
            return Ok(Done::default());
        };
        if self.holds(&done, going_on)? {
            return Ok(done);
        }
        told(format!(
            "an earlier import of this file has done {} rows, which are not all there as it left them: beginning anew",
            done.rows
        ));
        progress::forget(self.owner)?;
        Ok(Done::default())
    }

    /// Whether PostgreSQL holds all that was done: as many rows could be others.
    fn holds(
        &mut self,
        done: &Done,
        going_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<bool, MigrateError> {
        let (mut rows, mut there, mut other) = (0, 0, 0);
        self.each_chunk((None, done.position), &mut |import, chunk, _| {
            let mut transaction = import.begin_chunk(chunk)?;
            let found = compare(&mut transaction)?;
            transaction.commit().doing("ending a comparison")?;
            rows += chunk.rows();
            there += found.there;
            other += found.other;
            match going_on(rows) {
                true => Ok(()),
                false => Err(MigrateError::StoppedEarly),
            }
        })?;
        Ok((rows, there, other) == (done.rows, done.rows, done.other))
    }

    /// Goes on from `done` to the end. `going_on` is told the rows that are done after each chunk, and says whether to.
    ///
    /// # Errors
    /// When the file or PostgreSQL fails, or it was stopped; what is committed stays.
    pub fn run(
        &mut self,
        mut done: Done,
        told: &mut dyn FnMut(String),
        going_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Done, MigrateError> {
        let mut flush = false;
        if !self.dry_run {
            progress::begin(self.owner)?;
            let many = self.rows >= DEFER_INDEXES_FROM;
            let deferred = many && schema::defer_indexes(self.owner)?;
            flush = schema::has_indexes(self.owner)?;
            if many {
                told(
                    match (deferred, flush) {
                        (true, _) => "the table is empty: the search indexes are built at the end",
                        (false, true) => {
                            "the table has rows: its search indexes stay, and slow the copy"
                        }
                        (false, false) => {
                            "the search indexes that are missing are built at the end"
                        }
                    }
                    .to_owned(),
                );
            }
        }
        let copied = self.copy(&mut done, flush, going_on);
        let misread = |e: &MigrateError| {
            matches!(e, MigrateError::Disorder | MigrateError::Incomplete { .. })
        };
        // A place in the file means nothing then.
        if copied.as_ref().is_err_and(misread) && !self.dry_run {
            progress::forget(self.owner)?;
        }
        copied?;
        if !self.dry_run {
            let mut still = || going_on(done.rows);
            if !schema::finish_load(self.owner, told, &mut still)? {
                return Err(MigrateError::Stopped { rows: done.rows });
            }
            progress::forget(self.owner)?;
        }
        Ok(done)
    }

    fn copy(
        &mut self,
        done: &mut Done,
        flush: bool,
        going_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(), MigrateError> {
        heed(going_on, done)?;
        let copied = self.each_chunk((done.position, None), &mut |import, chunk, position| {
            import.store(chunk, position, done, flush)?;
            heed(going_on, done)
        });
        match copied {
            // Reading was cut short, and what was stored before is kept.
            Err(MigrateError::StoppedEarly) => Err(MigrateError::Stopped { rows: done.rows }),
            Ok(()) if done.rows != self.rows => Err(MigrateError::Incomplete {
                rows: done.rows,
                of: self.rows,
            }),
            copied => copied,
        }
    }

    /// Reads the rows whose places are above the first bound and not above the second, and gives them to `take` in chunks,
    /// with the place of the last row.
    fn each_chunk(
        &mut self,
        (after, last_place): (Option<i64>, Option<i64>),
        take: Take<'_>,
    ) -> Result<(), MigrateError> {
        self.owner
            .batch_execute(CHUNK_TABLE)
            .doing("creating a temporary table")?;
        let (mut chunk, source, mut last) = (Encoded::new(), self.source, after);
        'file: for batch in source.rows(self.file, Order::Position, after)? {
            let batch = batch.doing("reading the file")?;
            let batch = Batch::of(source, &batch)?;
            for at in 0..batch.len() {
                let position = batch.position(at);
                if last_place.is_some_and(|last_place| position > last_place) {
                    break 'file;
                }
                if last.replace(position).is_some_and(|last| last >= position) {
                    return Err(MigrateError::Disorder);
                }
                let Ok(row) = batch.row(at) else { continue };
                chunk.add(&row);
                if chunk.rows() >= CHUNK_ROWS || chunk.size() >= CHUNK_BYTES {
                    take(self, &chunk, position)?;
                    chunk.clear();
                }
            }
        }
        match last.filter(|_| chunk.rows() > 0) {
            Some(position) => take(self, &chunk, position),
            None => Ok(()),
        }
    }

    /// Begins a transaction whose temporary table holds a chunk; its commit empties that table.
    fn begin_chunk(&mut self, chunk: &Encoded) -> Result<Transaction<'_>, MigrateError> {
        let mut transaction = self.owner.transaction().doing("beginning a transaction")?;
        send(&mut transaction, chunk)?;
        Ok(transaction)
    }

    /// Stores a chunk and the progress it makes, or looks at what it would do.
    fn store(
        &mut self,
        chunk: &Encoded,
        position: i64,
        done: &mut Done,
        flush: bool,
    ) -> Result<(), MigrateError> {
        let (dry_run, key) = (self.dry_run, self.key);
        let mut transaction = self.begin_chunk(chunk)?;
        // A row that a trigger alters, in whatever transaction of its own, differs after the insert and did not before.
        let has_other_triggers = has_other_triggers(&mut transaction)?;
        let other_before = match has_other_triggers && !dry_run {
            true => Some(compare(&mut transaction)?.other),
            false => None,
        };
        let stored = match dry_run {
            true => None,
            false => Some(insert(&mut transaction)?),
        };
        let mut next = done.clone();
        next.position = Some(position);
        next.rows += chunk.rows();
        // Where all were stored, none was there before.
        if stored == Some(chunk.rows()) && !has_other_triggers {
            next.stored += chunk.rows();
        } else {
            let found = compare(&mut transaction)?;
            let missing = chunk.rows().saturating_sub(found.there);
            if stored.is_some() && missing > 0 {
                return Err(MigrateError::Dropped { rows: missing });
            }
            let rows = found
                .other
                .saturating_sub(other_before.unwrap_or(found.other));
            if rows > 0 {
                return Err(MigrateError::Altered { rows });
            }
            let stored = stored.unwrap_or(missing);
            next.stored += stored;
            next.present += chunk.rows().saturating_sub(stored + found.other);
            next.other += found.other;
            next.add_examples(found.examples);
        }
        if !dry_run {
            progress::write(&mut transaction, key, &next)?;
        }
        // Of a dry run, too: a rollback would leave the temporary table full of dead rows.
        transaction.commit().doing("committing a chunk of rows")?;
        if flush {
            schema::flush_load(self.owner)?;
        }
        *done = next;
        Ok(())
    }
}

/// Is given a chunk, and the place in the file of its last row.
type Take<'t> = &'t mut dyn FnMut(&mut Import<'_>, &Encoded, i64) -> Result<(), MigrateError>;

fn heed(going_on: &mut dyn FnMut(u64) -> bool, done: &Done) -> Result<(), MigrateError> {
    match going_on(done.rows) {
        true => Ok(()),
        false => Err(MigrateError::Stopped { rows: done.rows }),
    }
}

fn send(transaction: &mut Transaction<'_>, chunk: &Encoded) -> Result<(), MigrateError> {
    let doing = "copying rows to PostgreSQL";
    let mut writer = transaction
        .copy_in(include_str!("sql/postgres/chunk_copy.sql"))
        .doing(doing)?;
    for part in chunk.parts() {
        for message in part.chunks(MESSAGE_BYTES) {
            writer.write_all(message).map_err(|e| copying(e, doing))?;
        }
    }
    writer.finish().doing(doing)?;
    Ok(())
}

/// The writer wraps PostgreSQL's errors.
fn copying(error: std::io::Error, doing: &'static str) -> MigrateError {
    match error.downcast::<postgres::Error>() {
        Ok(source) => MigrateError::of_postgres(doing, source),
        Err(error) => MigrateError::Shape(format!("{doing}: {error}")),
    }
}

fn insert(transaction: &mut Transaction<'_>) -> Result<u64, MigrateError> {
    transaction
        .execute(include_str!("sql/postgres/chunk_store.sql"), &[])
        .doing("storing rows")
}

fn has_other_triggers(transaction: &mut Transaction<'_>) -> Result<bool, MigrateError> {
    let row = transaction
        .query_one(include_str!("sql/postgres/others.sql"), &[])
        .doing("looking for triggers of others")?;
    Ok(row.get("others"))
}

/// The rows of a chunk whose ids are in the table.
struct Found {
    there: u64,
    /// Those of them that have other content.
    other: u64,
    examples: Vec<Uuid>,
}

fn compare(transaction: &mut Transaction<'_>) -> Result<Found, MigrateError> {
    let row = transaction
        .query_one(include_str!("sql/postgres/chunk_compare.sql"), &[])
        .doing("comparing rows that are there")?;
    let number = |column: &str| u64::try_from(row.get::<_, i64>(column)).unwrap_or(0);
    Ok(Found {
        there: number("there"),
        other: number("other"),
        examples: row.get("examples"),
    })
}
