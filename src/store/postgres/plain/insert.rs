//! Batch insert as one multi-row VALUES, and the rows behind ids in doubt where an engine distributes them.

use std::collections::BTreeMap;
use std::iter;

use parking_lot::Mutex;
use postgres::Row;
use postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::super::error::StoreError;
use super::super::named::Failure;
use super::super::served::Served;
use super::super::session::Session;
use super::super::statements::FIND;
use crate::store::NewRow;

const INSERT_DISTRIBUTED: &str = include_str!("../../sql/plain/insert.sql");
const INSERT: &str = concat!(
    include_str!("../../sql/plain/insert.sql"),
    include_str!("../../sql/plain/insert_surroundings.sql")
);
const STANDBY: &str = include_str!("../../sql/plain/standby.sql");

/// The row of both, which stands in a text as often as it has rows.
const ROW: &str = "($1, $2, $3::date, $4)";
/// Parameters of a row; a statement has 65,535 at most, and a batch 10,000 rows.
const COLUMNS: usize = 4;
/// Most rows of which each number has a text of its own.
const EXACT_MAX: usize = 8;

/// The texts that were needed so far, by whether rows are distributed and their number, each for the rest of the process.
static TEXTS: Mutex<BTreeMap<(bool, usize), &'static str>> = Mutex::new(BTreeMap::new());

impl Session<'_> {
    /// Inserts the rows that are not there yet, which are sorted by id. `distributed`: by a statement of rows alone, which
    /// does not tell of others.
    pub(in super::super) fn insert_plain(
        &mut self,
        sorted: &[&NewRow],
        distributed: bool,
    ) -> Result<Vec<Row>, Failure> {
        let Some(last) = sorted.last() else {
            return Ok(Vec::new());
        };
        let rows = size_class(sorted.len());
        let mut params: Vec<(&(dyn ToSql + Sync), Type)> = Vec::with_capacity(rows * COLUMNS);
        for row in sorted.iter().chain(iter::repeat(last)).take(rows) {
            params.push((&row.id, Type::UUID));
            params.push((&row.warrior.name, Type::TEXT));
            params.push((&row.warrior.dob, Type::TEXT));
            params.push((&row.warrior.fight_skills, Type::TEXT_ARRAY));
        }
        self.run(text(distributed, rows), &params)
    }

    /// The rows behind these ids as a later snapshot sees them, and whether something of others may be why one is missing or
    /// differs. The insert before is committed, so a failure leaves all of them in doubt.
    pub(in super::super) fn stored_distributed(
        &mut self,
        ids: &[Uuid],
    ) -> Result<(Vec<Row>, bool), StoreError> {
        let rows = self
            .run(FIND, &[(&ids, Type::UUID_ARRAY)])
            .map_err(|failure| StoreError::doubtful(failure.error))?;
        // Anew: what keeps a row out may be younger than the last look.
        let Some(Served::Plain(surroundings)) = self.look_served().map_err(StoreError::doubtful)?
        else {
            return Err(StoreError::schema_replaced());
        };
        if surroundings.standbys {
            self.run(STANDBY, &[])
                .map_err(|failure| StoreError::doubtful(failure.error))?;
            self.check_replicated()?;
        }
        Ok((rows, surroundings.others))
    }
}

/// The rows of the text for a batch of so many, which its last row fills up: it conflicts with itself, and is stored once. (A
/// BEFORE trigger of others runs each time, before the conflict is found.)
/// Every number up to eight, and four numbers for each doubling: else a connection would name a statement for each size of a
/// batch.
fn size_class(rows: usize) -> usize {
    match rows {
        ..=EXACT_MAX => rows,
        _ => rows.next_multiple_of(rows.next_power_of_two() / EXACT_MAX),
    }
}

/// The insert of so many rows.
fn text(distributed: bool, rows: usize) -> &'static str {
    let make = || one(distributed).replacen(ROW, &values(rows), 1).leak() as &str;
    TEXTS.lock().entry((distributed, rows)).or_insert_with(make)
}

/// The insert of one row.
fn one(distributed: bool) -> &'static str {
    match distributed {
        true => INSERT_DISTRIBUTED,
        false => INSERT,
    }
}

fn values(rows: usize) -> String {
    let row = |n: usize| {
        let first = n * COLUMNS;
        let (id, name, dob, skills) = (first + 1, first + 2, first + 3, first + 4);
        format!("(${id}, ${name}, ${dob}::date, ${skills})")
    };
    (0..rows).map(row).collect::<Vec<_>>().join(",\n       ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_the_statement_of_one_row() {
        assert_eq!(values(1), ROW);
        for distributed in [false, true] {
            assert_eq!(one(distributed).matches(ROW).count(), 1);
            assert_eq!(text(distributed, 1), one(distributed));
            assert!(text(distributed, 3).contains("($9, $10, $11::date, $12)\non conflict"));
        }
        assert!(INSERT_DISTRIBUTED.ends_with("\nreturning id\n"));
    }

    #[test]
    fn a_batch_is_filled_up_by_a_quarter_at_most() {
        for rows in 1..=10_000 {
            let filled = size_class(rows);
            assert!(filled >= rows && filled * 4 <= rows * 5, "{rows}: {filled}");
            assert_eq!(size_class(filled), filled);
            assert!(filled * COLUMNS <= usize::from(u16::MAX), "{filled}");
        }
        let classes: std::collections::BTreeSet<usize> = (1..=10_000).map(size_class).collect();
        assert!(classes.len() < 60, "{classes:?}");
    }
}
