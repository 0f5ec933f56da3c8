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
    /// What an earlier run has done, as far as it is still there.
    ///
    /// # Errors
    /// When PostgreSQL fails.
    pub fn done(&mut self, told: &mut dyn FnMut(String)) -> Result<Done, MigrateError> {
        match self.dry_run {
            true => Ok(Done::default()),
            false => progress::read(self.owner, self.key, told),
        }
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
            if self.rows >= DEFER_INDEXES_FROM {
                told(match schema::defer_indexes(self.owner)? {
                    true => {
                        "the table is empty: the search indexes are built at the end".to_owned()
                    }
                    false => {
                        "the table has rows: its search indexes stay, and slow the copy".to_owned()
                    }
                });
            }
            flush = schema::has_indexes(self.owner)?;
        }
        self.owner
            .batch_execute(include_str!("sql/postgres/chunk_table.sql"))
            .doing("creating a temporary table")?;
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
        let mut chunk = Encoded::new();
        let (source, after) = (self.source, done.position);
        let mut last = after;
        for batch in source.rows(self.file, Order::Position, after)? {
            let batch = batch.doing("reading the file")?;
            let batch = Batch::of(source, &batch)?;
            for at in 0..batch.len() {
                let position = batch.position(at);
                if last.replace(position).is_some_and(|last| last >= position) {
                    return Err(MigrateError::Disorder);
                }
                let Ok(row) = batch.row(at) else { continue };
                chunk.add(&row);
                if chunk.rows() >= CHUNK_ROWS || chunk.size() >= CHUNK_BYTES {
                    self.store(&mut chunk, position, done, flush)?;
                    heed(going_on, done)?;
                }
            }
        }
        if let Some(position) = last.filter(|_| chunk.rows() > 0) {
            self.store(&mut chunk, position, done, flush)?;
        }
        heed(going_on, done)?;
        match done.rows == self.rows {
            true => Ok(()),
            false => Err(MigrateError::Incomplete {
                rows: done.rows,
                of: self.rows,
            }),
        }
    }

    /// Stores a chunk and the progress it makes, or looks at what it would do.
    fn store(
        &mut self,
        chunk: &mut Encoded,
        position: i64,
        done: &mut Done,
        flush: bool,
    ) -> Result<(), MigrateError> {
        let mut next = done.clone();
        next.position = Some(position);
        next.rows += chunk.rows();
        let mut transaction = self.owner.transaction().doing("beginning a transaction")?;
        send(&mut transaction, chunk)?;
        let stored = match self.dry_run {
            true => None,
            false => Some(insert(&mut transaction)?),
        };
        // Where all were stored, none was there before.
        if stored == Some(chunk.rows()) {
            next.stored += chunk.rows();
        } else {
            let found = compare(&mut transaction)?;
            let missing = chunk.rows().saturating_sub(found.there);
            if stored.is_some() && missing > 0 {
                return Err(MigrateError::Dropped { rows: missing });
            }
            let stored = stored.unwrap_or(missing);
            next.stored += stored;
            next.present += chunk.rows().saturating_sub(stored + found.other);
            next.other += found.other;
            next.add_examples(found.examples);
        }
        if !self.dry_run {
            progress::write(&mut transaction, self.key, &next)?;
        }
        // Of a dry run, too: this empties the temporary table, which a rollback would leave full of dead rows.
        transaction.commit().doing("committing a chunk of rows")?;
        if flush {
            schema::flush_load(self.owner)?;
        }
        *done = next;
        chunk.clear();
        Ok(())
    }
}

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
        .doing("comparing rows that are there already")?;
    let number = |column: &str| u64::try_from(row.get::<_, i64>(column)).unwrap_or(0);
    Ok(Found {
        there: number("there"),
        other: number("other"),
        examples: row.get("examples"),
    })
}
