//! Comparison of a file with a snapshot of PostgreSQL. Digests of ranges of ids are compared first; the rows of the ranges
//! that differ are then read again on both sides in the order of their ids, and merged.

use uuid::Uuid;
use warrior_duckdb::arrow_array::RecordBatch;
use warrior_duckdb::{Connection, Rows};

pub use super::differences::{Differences, Named};
use super::error::{Doing, MigrateError};
use super::left_out::LeftOut;
use super::ranges::{self, Digests, Interval, Ranges};
use super::row::Batch;
use super::row::canonical::Canonical;
use super::snapshot::Snapshot;
use super::source::{Order, Source};

/// Longest part of an odd id that is shown.
const ID_MAX: usize = 60;
const READING: &str = "reading the file";

/// The steps of a comparison, as progress tells them.
const FILE: &str = "digesting the file";
const POSTGRESQL: &str = "digesting PostgreSQL";
const ROW_BY_ROW: &str = "reading what differs";
const NEWER: &str = "reading what is newer";

/// Is told the step, the rows that it has done, and how many there are; says whether to go on.
pub type Seen<'s> = &'s mut dyn FnMut(&'static str, u64, u64) -> bool;
/// Is given each row that PostgreSQL alone has.
pub(super) type Newer<'n> = &'n mut dyn FnMut(&Canonical<'_>) -> Result<(), MigrateError>;

/// Compares without looking at what is newer than the file: it is counted.
///
/// # Errors
/// When a side cannot be read.
pub fn compare(
    snapshot: &mut Snapshot<'_>,
    connection: &mut Connection,
    source: &Source,
    seen: Seen<'_>,
) -> Result<Differences, MigrateError> {
    compare_but(None, snapshot, connection, source, seen)
}

/// As [`compare`], without the rows that an import left out.
///
/// # Errors
/// When a side cannot be read, or other rows are listed than those that an import leaves out.
pub fn compare_but(
    left_out: Option<&LeftOut>,
    snapshot: &mut Snapshot<'_>,
    connection: &mut Connection,
    source: &Source,
    seen: Seen<'_>,
) -> Result<Differences, MigrateError> {
    let mut comparison = Comparison::new(snapshot, connection, source, seen);
    comparison.left_out = left_out;
    comparison.run()?;
    Ok(comparison.found)
}

/// As [`compare`], and gives each row that PostgreSQL alone has to `newer`.
pub(super) fn compare_and_give(
    snapshot: &mut Snapshot<'_>,
    connection: &mut Connection,
    source: &Source,
    seen: Seen<'_>,
    newer: Newer<'_>,
) -> Result<Differences, MigrateError> {
    let mut comparison = Comparison::new(snapshot, connection, source, seen);
    comparison.newer = Some(newer);
    comparison.run()?;
    Ok(comparison.found)
}

struct Comparison<'a, 'c> {
    snapshot: &'a mut Snapshot<'c>,
    connection: &'a mut Connection,
    source: &'a Source,
    seen: Seen<'a>,
    left_out: Option<&'a LeftOut>,
    newer: Option<Newer<'a>>,
    found: Differences,
}

impl<'a, 'c> Comparison<'a, 'c> {
    fn new(
        snapshot: &'a mut Snapshot<'c>,
        connection: &'a mut Connection,
        source: &'a Source,
        seen: Seen<'a>,
    ) -> Self {
        snapshot.with_created_at(source.has_created_at());
        Self {
            snapshot,
            connection,
            source,
            seen,
            left_out: None,
            newer: None,
            found: Differences::default(),
        }
    }

    fn run(&mut self) -> Result<(), MigrateError> {
        self.found.rows = self.source.count(self.connection)?;
        let last = self.source.last_id(self.connection)?;
        let bounds = ranges::bounds_for(self.found.rows);
        let bounds = self.source.some_ids(self.connection, bounds)?;
        // Without an id in the file, all of PostgreSQL's are above.
        let ranges = Ranges::new(bounds, last.unwrap_or(Uuid::nil()));
        let file = self.digest_file(&ranges)?;
        if let Some(left_out) = self.left_out {
            left_out.expect(self.found.left_out)?;
        }
        let count = self.snapshot.count(ranges.last())?;
        self.found.stored = count.rows;
        let stored = self.digest_stored(&ranges, count.rows - count.above)?;
        let differing = ranges.differing(&file, &stored);
        self.merge(&differing, ranges.rows_within(&file, &differing))?;
        self.above(ranges.last(), count.above)
    }

    fn digest_file(&mut self, ranges: &Ranges) -> Result<Digests, MigrateError> {
        let (mut digests, mut done) = (ranges.digests(), 0);
        for batch in (self.source).rows(self.connection, Order::Position, None)? {
            let batch = batch.doing(READING)?;
            let batch = Batch::of(self.source, &batch)?;
            for at in 0..batch.len() {
                if self
                    .left_out
                    .is_some_and(|left_out| left_out.holds(&batch, at))
                {
                    self.found.left_out += 1;
                    continue;
                }
                match batch.canonical(at) {
                    Ok(row) => ranges.add(&mut digests, row.id, row.digest()),
                    Err(id) => {
                        let id = id.map_or_else(
                            || format!("NULL, at rowid {}", batch.position(at)),
                            |id| id.chars().take(ID_MAX).collect::<String>(),
                        );
                        let about = "its id is no UUID";
                        self.found.missing.add(id.escape_debug(), about);
                    }
                }
            }
            done += batch.len() as u64;
            heed((self.seen)(FILE, done, self.found.rows))?;
        }
        complete(done, self.found.rows)?;
        Ok(digests)
    }

    fn digest_stored(&mut self, ranges: &Ranges, rows: u64) -> Result<Digests, MigrateError> {
        let (mut digests, mut done) = (ranges.digests(), 0);
        let mut stored = self.snapshot.rows((Uuid::nil(), ranges.last()))?;
        while let Some(row) = stored.next()? {
            let row = stored.canonical(&row)?;
            ranges.add(&mut digests, row.id, row.digest());
            done += 1;
            heed((self.seen)(POSTGRESQL, done, rows))?;
        }
        Ok(digests)
    }

    /// Reads intervals on both sides, row by row: in one statement from the file, which may read all of it for each.
    /// They hold `rows` rows of the file, as its digests have counted.
    fn merge(&mut self, intervals: &[Interval], rows: u64) -> Result<(), MigrateError> {
        if intervals.is_empty() {
            return Ok(());
        }
        let (total, mut done) = (self.found.rows.max(self.found.stored), 0);
        let mut ours = ById::new(self.source, self.left_out, self.connection, intervals)?;
        let mut mine = ours.next(&mut self.found)?;
        for interval in intervals {
            let mut theirs = self.snapshot.rows_by_id(*interval)?;
            while let Some(row) = theirs.next()? {
                let row = theirs.canonical(&row)?;
                done += 1;
                heed((self.seen)(ROW_BY_ROW, done, total))?;
                while let Some(missing) = mine.take_if(|mine| mine.id < row.id) {
                    self.found.missing.add(missing.id, "");
                    mine = ours.next(&mut self.found)?;
                }
                match mine.take_if(|mine| mine.id == row.id) {
                    Some(same) => {
                        let columns = same.differing(&row);
                        if !columns.is_empty() {
                            self.found.changed.add(row.id, columns.join(", "));
                        }
                        mine = ours.next(&mut self.found)?;
                    }
                    None => {
                        self.found.newer += 1;
                        if let Some(newer) = &mut self.newer {
                            newer(&row)?;
                        }
                    }
                }
            }
        }
        // What PostgreSQL has none above.
        while let Some(missing) = mine {
            self.found.missing.add(missing.id, "");
            mine = ours.next(&mut self.found)?;
        }
        complete(ours.read, rows)
    }

    /// What is above the last id of the file need not be compared with anything.
    fn above(&mut self, last: Uuid, rows: u64) -> Result<(), MigrateError> {
        self.found.newer += rows;
        let (Some(newer), Some(first)) = (&mut self.newer, last.as_u128().checked_add(1)) else {
            return Ok(());
        };
        let mut done = 0;
        let mut stored = (self.snapshot).rows((Uuid::from_u128(first), Uuid::max()))?;
        while let Some(row) = stored.next()? {
            newer(&stored.canonical(&row)?)?;
            done += 1;
            heed((self.seen)(NEWER, done, rows))?;
        }
        Ok(())
    }
}

/// Refuses a reading that ended early: what it left out would be newer in PostgreSQL, which is no fault.
fn complete(rows: u64, of: u64) -> Result<(), MigrateError> {
    match rows == of {
        true => Ok(()),
        false => Err(MigrateError::Incomplete { rows, of }),
    }
}

/// Stops where it is asked to.
pub(super) fn heed(going_on: bool) -> Result<(), MigrateError> {
    match going_on {
        true => Ok(()),
        false => Err(MigrateError::StoppedEarly),
    }
}

/// The rows of a file whose ids are within intervals, in the order of these; of those with one id, the first.
struct ById<'a> {
    source: &'a Source,
    left_out: Option<&'a LeftOut>,
    rows: Rows,
    batch: Option<RecordBatch>,
    at: usize,
    before: Option<Uuid>,
    /// How many have come, those that repeat an id, too.
    read: u64,
}

impl<'a> ById<'a> {
    fn new(
        source: &'a Source,
        left_out: Option<&'a LeftOut>,
        connection: &mut Connection,
        intervals: &[Interval],
    ) -> Result<Self, MigrateError> {
        Ok(Self {
            source,
            left_out,
            rows: source.rows_within(connection, intervals)?,
            batch: None,
            at: 0,
            before: None,
            read: 0,
        })
    }

    /// The next one; what repeats an id goes to `found`.
    fn next(
        &mut self,
        found: &mut Differences,
    ) -> Result<Option<Canonical<'static>>, MigrateError> {
        loop {
            let Some(batch) = &self.batch else {
                match self.rows.next() {
                    None => return Ok(None),
                    Some(batch) => self.batch = Some(batch.doing(READING)?),
                }
                self.at = 0;
                continue;
            };
            if self.at == batch.num_rows() {
                self.batch = None;
                continue;
            }
            let (batch, at) = (Batch::of(self.source, batch)?, self.at);
            self.at += 1;
            if self
                .left_out
                .is_some_and(|left_out| left_out.holds(&batch, at))
            {
                continue;
            }
            let row = batch.canonical(at);
            // The statement asks for UUIDs alone.
            let Ok(row) = row else { continue };
            self.read += 1;
            if self.before.replace(row.id) == Some(row.id) {
                found.repeated.add(row.id, "");
                continue;
            }
            return Ok(Some(row.into_owned()));
        }
    }
}
