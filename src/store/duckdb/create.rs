//! Batch insert: creates in one transaction, idempotent by their ids, and the proof that each row is stored.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;
use warrior_duckdb::arrow_array::ArrayRef;
use warrior_duckdb::arrow_array::builder::{ListBuilder, StringBuilder};
use warrior_duckdb::arrow_array::cast::AsArray;

use super::columns;
use super::error::{malformed, of_commit, undone};
use super::session::Session;
use crate::store::{Class, Created, NewRow, StoreError};

const BEGIN: &str = "begin transaction";
const INSERT: &str = include_str!("sql/insert.sql");
const COMMIT: &str = "commit";

impl Session<'_> {
    /// Stores a batch.
    ///
    /// # Errors
    /// Of the whole batch; its class says what is certain.
    pub(super) fn create(&mut self, rows: &[&NewRow]) -> Result<Vec<Created>, StoreError> {
        let mut times = HashMap::with_capacity(rows.len());
        for row in rows {
            *times.entry(row.id).or_insert(0) += 1;
        }
        let added = self.insert(rows)?;
        // A row proves what it holds when this statement alone added it.
        let in_doubt = |row: &NewRow| !added.contains(&row.id) || times[&row.id] > 1;
        let ids = rows.iter().filter(|row| in_doubt(row)).map(|row| row.id);
        let ids: HashSet<Uuid> = ids.collect();
        let stored = match ids.is_empty() {
            true => HashMap::new(),
            // The insert before it is committed, so a failure here leaves the rows in doubt.
            false => (self.find(ids, |found| found.map(|found| found.warrior.as_sent())))
                .map_err(|e| e.with_class(Class::Unknown))?,
        };
        let outcome = |row: &&NewRow| match stored.get(&row.id) {
            _ if !in_doubt(row) => Created::Stored,
            None => Created::Vanished,
            Some(Some(warrior)) if *warrior == *row.warrior => Created::Stored,
            // A keyless id is ours alone.
            Some(_) if !row.keyed => Created::Altered,
            Some(_) => Created::Mismatch,
        };
        Ok(rows.iter().map(outcome).collect())
    }

    /// Inserts the rows that are not there yet, the first of those that share an id, and gives the ids that were added.
    fn insert(&mut self, rows: &[&NewRow]) -> Result<HashSet<Uuid>, StoreError> {
        let mut seen = HashSet::with_capacity(rows.len());
        let rows: Vec<&NewRow> = (rows.iter().copied())
            .filter(|row| seen.insert(row.id))
            .collect();
        let parameters = parameters(&rows);
        self.run(BEGIN, &[], |_| {}).map_err(|e| undone(&e))?;
        let mut added = HashSet::with_capacity(rows.len());
        let mut read = Ok(());
        self.run(INSERT, &parameters, |batch| {
            let ids = batch.column(0).as_string_opt();
            read = ids
                .ok_or_else(|| malformed("the ids that were added are no texts"))
                .and_then(|ids| {
                    for row in 0..batch.num_rows() {
                        added.insert(columns::id(ids, row)?);
                    }
                    Ok(())
                });
        })
        .map_err(|e| undone(&e))?;
        self.run(COMMIT, &[], |_| {}).map_err(|e| of_commit(&e))?;
        read.map_err(|e| e.with_class(Class::Unknown))?;
        Ok(added)
    }
}

/// One row of four lists: a statement has the same parameters however many rows it adds.
fn parameters(rows: &[&NewRow]) -> [ArrayRef; 4] {
    let list = |text: &dyn Fn(&NewRow) -> String| {
        let mut list = ListBuilder::new(StringBuilder::new());
        for row in rows {
            list.values().append_value(text(row));
        }
        list.append(true);
        Arc::new(list.finish()) as ArrayRef
    };
    let mut skills = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    for row in rows {
        for skill in &row.warrior.fight_skills {
            skills.values().values().append_value(skill);
        }
        skills.values().append(true);
    }
    skills.append(true);
    [
        list(&|row| row.id.to_string()),
        list(&|row| row.warrior.name.clone()),
        list(&|row| row.warrior.dob.clone()),
        Arc::new(skills.finish()),
    ]
}
