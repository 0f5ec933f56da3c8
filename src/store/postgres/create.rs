//! Batch insert: creates in one statement, idempotent by their ids, and the proof that each row is stored.

use std::collections::{HashMap, HashSet};

use postgres::Row;
use postgres::types::Type;
use uuid::Uuid;

use super::error::StoreError;
use super::named::Failure;
use super::read::{ID, SHARED_COLUMNS, bounded};
use super::served::Served;
use super::session::Session;
use super::statements::{self, STORED};
use crate::store::{Created, NewRow};
use crate::warrior::{NewWarrior, Warrior};

const INSERT: &str = include_str!("../sql/insert.sql");
/// The column that the statements of rows in doubt have behind those of a warrior.
const OTHERS: usize = SHARED_COLUMNS;

/// The result of an insert.
struct Inserted {
    /// The ids of the rows that were added.
    ids: HashSet<Uuid>,
    /// There are triggers of others, so that an added row need not hold, or still be, what was sent.
    other_triggers: bool,
}

/// The rows under ids that were in doubt.
#[derive(Default)]
struct Stored {
    /// None is one that is too large to be read: more than a client can send.
    warriors: HashMap<Uuid, Option<NewWarrior>>,
    /// A trigger or policy of others may be why a row is missing or differs.
    others: bool,
}

impl Session<'_> {
    /// Stores a batch.
    ///
    /// # Errors
    /// Of the whole batch; its class says what is certain.
    pub fn create(&mut self, rows: &[&NewRow]) -> Result<Vec<Created>, StoreError> {
        let served = self.served().map_err(StoreError::of_unsent)?;
        let inserted = self.insert(served, rows)?;
        if served == Served::Tuned {
            let added = rows.iter().filter(|row| inserted.ids.contains(&row.id));
            (self.backlog()).add(added.map(|row| list_bytes(row)).sum());
        }
        let times = rows.iter().fold(HashMap::new(), |mut times, row| {
            *times.entry(row.id).or_insert(0) += 1;
            times
        });
        // A trigger that gives a row another id hides which row it was.
        let replaced = inserted.ids.iter().any(|id| !times.contains_key(id));
        // A row proves what it holds when this statement alone added it, and no trigger of others saw it. Any other
        // comes of an earlier attempt, which may have committed on this server alone.
        let in_doubt = |row: &NewRow| {
            inserted.other_triggers || !inserted.ids.contains(&row.id) || times[&row.id] > 1
        };
        let ids: Vec<Uuid> = rows
            .iter()
            .filter(|row| in_doubt(row))
            .map(|row| row.id)
            .collect();
        let mut stored = match ids.is_empty() {
            true => Stored::default(),
            false => self.stored(served, &ids)?,
        };
        // They may be gone since.
        stored.others |= inserted.other_triggers;
        let outcome = |row: &&NewRow| match stored.warriors.get(&row.id) {
            _ if !in_doubt(row) => Created::Stored,
            None if replaced => Created::Altered,
            None if stored.others => Created::Refused,
            None => Created::Vanished,
            Some(Some(warrior)) if *warrior == *row.warrior => Created::Stored,
            // A keyless id is ours alone.
            Some(_) if stored.others || !row.keyed => Created::Altered,
            Some(_) => Created::Mismatch,
        };
        Ok(rows.iter().map(outcome).collect())
    }

    /// Inserts the rows that are not there yet.
    fn insert(&mut self, served: Served, rows: &[&NewRow]) -> Result<Inserted, StoreError> {
        // In one order everywhere, so that two batches cannot deadlock.
        let mut sorted: Vec<&NewRow> = rows.to_vec();
        sorted.sort_unstable_by_key(|row| row.id);
        let distributed = matches!(served, Served::Plain(known) if known.distributed);
        let new = match served {
            Served::Tuned => self.insert_unnested(&sorted),
            Served::Plain(_) => self.insert_plain(&sorted, distributed),
        };
        let new = new.map_err(|failure| failure.of_write(distributed))?;
        self.check_replicated()?;
        let read = || -> Result<_, postgres::Error> {
            let ids: Result<_, _> = new.iter().map(|row| row.try_get(0)).collect();
            let other_triggers = match served {
                Served::Plain(known) if known.distributed => known.others,
                _ => new.first().map_or(Ok(false), |row| row.try_get(1))?,
            };
            Ok(Inserted {
                ids: ids?,
                other_triggers,
            })
        };
        read().map_err(StoreError::doubtful)
    }

    fn insert_unnested(&mut self, sorted: &[&NewRow]) -> Result<Vec<Row>, Failure> {
        let ids: Vec<Uuid> = sorted.iter().map(|row| row.id).collect();
        let names: Vec<&str> = sorted.iter().map(|row| row.warrior.name.as_str()).collect();
        let dobs: Vec<&str> = sorted.iter().map(|row| row.warrior.dob.as_str()).collect();
        let skills: Vec<String> = sorted
            .iter()
            .map(|row| array_literal(&row.warrior.fight_skills))
            .collect();
        self.run(
            INSERT,
            &[
                (&ids, Type::UUID_ARRAY),
                (&names, Type::TEXT_ARRAY),
                (&dobs, Type::TEXT_ARRAY),
                (&skills, Type::TEXT_ARRAY),
            ],
        )
    }

    /// The warriors that hold these ids, as a later snapshot sees them.
    fn stored(&mut self, served: Served, ids: &[Uuid]) -> Result<Stored, StoreError> {
        // The insert before it is committed, so a failure here leaves the rows in doubt.
        let sql = match served {
            Served::Tuned => STORED,
            Served::Plain(known) if !known.distributed => statements::plain::STORED,
            Served::Plain(_) => {
                let (rows, others) = self.stored_distributed(ids)?;
                return Stored::of_rows(&rows, Some(others)).map_err(StoreError::doubtful);
            }
        };
        let rows = self
            .run(sql, &[(&ids, Type::UUID_ARRAY)])
            .map_err(|failure| StoreError::doubtful(failure.error))?;
        self.check_replicated()?;
        Stored::of_rows(&rows, None).map_err(StoreError::doubtful)
    }
}

impl Stored {
    /// Whether something of others may be why is in each row, where it was not asked for apart.
    fn of_rows(rows: &[Row], others: Option<bool>) -> Result<Self, postgres::Error> {
        let mut stored = Self {
            others: others.unwrap_or_default(),
            ..Self::default()
        };
        for row in rows {
            if others.is_none() {
                stored.others = row.try_get(OTHERS)?;
            }
            let Some(id) = row.try_get(ID)? else { continue };
            let warrior = bounded(row)?.as_ref().map(Warrior::as_sent);
            stored.warriors.insert(id, warrior);
        }
        Ok(stored)
    }
}

/// Bytes of a row in the pending lists, as the triggers count them (`schema/functions/triggers.sql`): an entry for each
/// letter of the name, and one for each skill.
pub(super) fn list_bytes(row: &NewRow) -> u64 {
    let skills = row.warrior.fight_skills.iter();
    (24 * row.warrior.name.len() + skills.map(|skill| 20 + skill.len()).sum::<usize>()) as u64
}

/// A PostgreSQL array literal, each element quoted. A parameter per skill could not carry rows with
/// different numbers of skills.
fn array_literal(items: &[String]) -> String {
    let mut literal =
        String::with_capacity(items.iter().map(|item| item.len() + 3).sum::<usize>() + 2);
    literal.push('{');
    for (i, item) in items.iter().enumerate() {
        literal.push_str(if i == 0 { "\"" } else { ",\"" });
        for c in item.chars() {
            if matches!(c, '"' | '\\') {
                literal.push('\\');
            }
            literal.push(c);
        }
        literal.push('"');
    }
    literal.push('}');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn array_literals_quote_every_element() {
        let literal = |items: &[&str]| {
            let items: Vec<_> = items.iter().map(|item| (*item).to_owned()).collect();
            array_literal(&items)
        };
        assert_eq!(literal(&["a"]), r#"{"a"}"#);
        assert_eq!(
            literal(&["NULL", "", "a,b", "{}"]),
            r#"{"NULL","","a,b","{}"}"#
        );
        assert_eq!(
            literal(&[r#"say "hi""#, r"back\slash"]),
            r#"{"say \"hi\"","back\\slash"}"#
        );
    }
}
