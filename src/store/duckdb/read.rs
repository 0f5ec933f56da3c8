//! Reads: warriors by id, their count, and searches, which read every row.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;
use warrior_duckdb::arrow_array::cast::AsArray;
use warrior_duckdb::arrow_array::types::Int64Type;
use warrior_duckdb::arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use super::columns::Columns;
use super::error::{malformed, of_read};
use super::session::Session;
use crate::store::StoreError;
use crate::warrior::{StoredWarrior, Warrior};

const FIND: &str = concat!(
    include_str!("sql/shared_columns.sql"),
    include_str!("sql/find.sql")
);
const COUNT: &str = include_str!("sql/count.sql");
const BEGIN: &str = "begin transaction read only";
const NAMES: &str = concat!(
    include_str!("sql/shared_columns.sql"),
    include_str!("sql/names.sql")
);
const DATES_AND_SKILLS: &str = concat!(
    include_str!("sql/shared_columns.sql"),
    include_str!("sql/dates_and_skills.sql")
);
const COMMIT: &str = "commit";

/// The ids that find.sql takes.
const IDS: usize = 32;
/// Most hits of a search, which names.sql has, too.
const HITS_MAX: usize = 50;

impl Session<'_> {
    /// Finds warriors, up to 32 in a statement. Each is given to `render` as it arrives: `None` in place of one that is too
    /// large to be read.
    ///
    /// # Errors
    /// Of the whole batch.
    pub(super) fn find<A>(
        &mut self,
        ids: HashSet<Uuid>,
        mut render: impl FnMut(Option<&StoredWarrior>) -> A,
    ) -> Result<HashMap<Uuid, A>, StoreError> {
        let mut found = HashMap::with_capacity(ids.len());
        let ids: Vec<Uuid> = ids.into_iter().collect();
        for ids in ids.chunks(IDS) {
            let id = |number: usize| -> ArrayRef {
                let id = ids.get(number).unwrap_or(&ids[0]);
                Arc::new(StringArray::from(vec![id.to_string()]))
            };
            let parameters: [ArrayRef; IDS] = std::array::from_fn(id);
            self.each(FIND, &parameters, |columns, row| {
                let stored = columns.stored(row)?;
                found.insert(columns.id(row)?, render(stored.as_ref()));
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// How many warriors there are.
    ///
    /// # Errors
    /// When the statement fails, or takes too long.
    pub(super) fn count(&mut self) -> Result<i64, StoreError> {
        let mut count = None;
        self.run(COUNT, &[], |batch| {
            let counts = batch.column(0).as_primitive_opt::<Int64Type>();
            count = counts
                .filter(|c| !c.is_empty())
                .map(|c| c.value(0))
                .or(count);
        })
        .map_err(|e| of_read(&e))?;
        count.ok_or_else(|| malformed("count.sql gave no number"))
    }

    /// Searches for each of these terms, all in one snapshot. The hits are given to `take` with the number of their term:
    /// `None` in place of one that is too large to be read.
    ///
    /// # Errors
    /// Of the whole batch; [`Class::TooCostly`](crate::store::Class::TooCostly) when it ran out of its time.
    pub(super) fn search(
        &mut self,
        terms: &[&str],
        take: impl FnMut(usize, Option<&Warrior>),
    ) -> Result<(), StoreError> {
        let found = self.search_in_one_snapshot(terms, take);
        if found.is_err() {
            self.abandon();
        }
        found
    }

    fn search_in_one_snapshot(
        &mut self,
        terms: &[&str],
        mut take: impl FnMut(usize, Option<&Warrior>),
    ) -> Result<(), StoreError> {
        self.run(BEGIN, &[], |_| {}).map_err(|e| of_read(&e))?;
        for (number, term) in terms.iter().enumerate() {
            let needle: ArrayRef = Arc::new(StringArray::from(vec![*term]));
            let mut hits = 0;
            let mut hit = |columns: &Columns<'_>, row: usize| {
                take(number, columns.warrior(row)?.as_ref());
                hits += 1;
                Ok(())
            };
            self.each(NAMES, &[Arc::clone(&needle)], &mut hit)?;
            // Later tiers are read only while there is room, since each reads every row.
            let room = HITS_MAX.saturating_sub(hits);
            if room > 0 {
                let room = i64::try_from(room).unwrap_or(i64::MAX);
                let room: ArrayRef = Arc::new(Int64Array::from(vec![room]));
                self.each(DATES_AND_SKILLS, &[needle, room], |columns, row| {
                    take(number, columns.warrior(row)?.as_ref());
                    Ok(())
                })?;
            }
        }
        self.run(COMMIT, &[], |_| {}).map_err(|e| of_read(&e))
    }

    /// Gives the rows of a statement to `take` one by one. All of them are read, also after `take` fails.
    fn each(
        &mut self,
        sql: &str,
        parameters: &[ArrayRef],
        mut take: impl FnMut(&Columns<'_>, usize) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut taken = Ok(());
        let mut take_all = |batch: &RecordBatch| -> Result<(), StoreError> {
            let columns = Columns::of(batch)?;
            (0..batch.num_rows()).try_for_each(|row| take(&columns, row))
        };
        self.run(sql, parameters, |batch| {
            if taken.is_ok() {
                taken = take_all(batch);
            }
        })
        .map_err(|e| of_read(&e))?;
        taken
    }
}
