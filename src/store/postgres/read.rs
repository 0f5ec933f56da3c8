//! Reads: warriors by id, their count, and searches. Rows are given to the caller as they arrive.

use std::collections::{HashMap, HashSet};

use postgres::Row;
use postgres::types::Type;
use uuid::Uuid;

use super::decode::{Date, Moment, Texts};
use super::error::StoreError;
use super::served::Served;
use super::session::Session;
use super::statements::{FIND, SEARCH, SEARCHES};
use crate::config::Secret;
use crate::warrior::{StoredWarrior, Warrior};

const COUNT: &str = include_str!("../sql/count.sql");
const COUNT_PLAIN: &str = include_str!("../sql/plain/count.sql");
const SECRET: &str = include_str!("../sql/secret.sql");

/// Fewest ids of a find that is named. PostgreSQL reckons with ten where it plans without them, so for fewer it would
/// plan anew each time; the same id again costs less than that.
const NAMED_IDS_MIN: usize = 12;

/// The columns of shared_columns.sql, which every statement of rows answers first, in this order. By number, since a name would be compared with those of all columns, for each field of each row.
pub(super) const ID: usize = 0;
const NAME: usize = ID + 1;
const DOB: usize = NAME + 1;
const FIGHT_SKILLS: usize = DOB + 1;
/// How many these are, and so the number of the first column that is a statement's own.
pub(super) const SHARED_COLUMNS: usize = FIGHT_SKILLS + 1;
/// Of find.sql alone.
const CREATED_AT: usize = SHARED_COLUMNS;
/// Of searches.sql alone.
const PLACE: usize = SHARED_COLUMNS;

impl Session<'_> {
    /// Finds warriors in one statement. Each is given to `render` as it arrives: `None` in place of one that is too
    /// large to be read.
    ///
    /// # Errors
    /// Of the whole batch.
    pub fn find<A>(
        &mut self,
        ids: HashSet<Uuid>,
        mut render: impl FnMut(Option<&StoredWarrior>) -> A,
    ) -> Result<HashMap<Uuid, A>, StoreError> {
        let mut ids: Vec<Uuid> = ids.into_iter().collect();
        if self.names_statements()
            && let Some(first) = ids.first().copied()
        {
            ids.resize(ids.len().max(NAMED_IDS_MIN), first);
        }
        let mut found = HashMap::with_capacity(ids.len());
        self.each(FIND, &[(&ids, Type::UUID_ARRAY)], |row| {
            let created_at: Option<Moment> = row.try_get(CREATED_AT)?;
            let stored = bounded(row)?.map(|warrior| StoredWarrior {
                warrior,
                created_at: created_at.map(|Moment(text)| text),
            });
            found.insert(row.try_get(ID)?, render(stored.as_ref()));
            Ok(())
        })?;
        Ok(found)
    }

    /// How many warriors there are.
    ///
    /// # Errors
    /// When the statement fails, or is not answered in time.
    pub fn count(&mut self) -> Result<i64, StoreError> {
        let sql = match self.served().map_err(StoreError::of_read)? {
            Served::Tuned => COUNT,
            Served::Plain(_) => COUNT_PLAIN,
        };
        let rows = self.rows(sql, &[])?;
        rows.first()
            .map_or(Ok(0), |row| row.try_get(0))
            .map_err(StoreError::of_row)
    }

    /// Searches for each of these terms, in one statement on the tuned schema. The hits, at most 50 for a term, are given to `take` as
    /// they arrive with the number of their term, term by term and each in the contract's order: `None` in place of
    /// one that is too large to be read.
    ///
    /// # Errors
    /// Of the whole batch; [`Class::TooCostly`](super::error::Class::TooCostly) when the statement ran out of its time.
    pub fn search(
        &mut self,
        terms: &[&str],
        mut take: impl FnMut(usize, Option<&Warrior>),
    ) -> Result<(), StoreError> {
        if let Served::Plain(_) = self.served().map_err(StoreError::of_read)? {
            return self.search_plain(terms, take);
        }
        for _ in terms {
            self.backlog().read();
        }
        match terms {
            [] => Ok(()),
            [term] => self.each(SEARCH, &[(term, Type::TEXT)], |row| {
                take(0, bounded(row)?.as_ref());
                Ok(())
            }),
            terms => self.search_each(terms, take),
        }
    }

    fn search_each(
        &mut self,
        terms: &[&str],
        mut take: impl FnMut(usize, Option<&Warrior>),
    ) -> Result<(), StoreError> {
        let mut strange = false;
        self.each(SEARCHES, &[(&terms, Type::TEXT_ARRAY)], |row| {
            let place: i64 = row.try_get(PLACE)?;
            match usize::try_from(place - 1) {
                Ok(term) if term < terms.len() => take(term, bounded(row)?.as_ref()),
                _ => strange = true,
            }
            Ok(())
        })?;
        if strange {
            return Err(StoreError::malformed(
                "searches.sql answered for a term that was not asked for",
            ));
        }
        Ok(())
    }

    /// The secret that the database keeps; none when its row is missing.
    pub(super) fn secret(&mut self) -> Result<Option<Secret>, StoreError> {
        let rows = self.rows(SECRET, &[])?;
        let secret = rows.first().map(|row| row.try_get::<_, String>(0));
        Ok(secret
            .transpose()
            .map_err(StoreError::of_row)?
            .map(Secret::new))
    }
}

/// The shared columns of a row; `None` when the statement left out skills that are too large to be read.
pub(super) fn bounded(row: &Row) -> Result<Option<Warrior<'_>>, postgres::Error> {
    let Some(Texts(fight_skills)) = row.try_get(FIGHT_SKILLS)? else {
        return Ok(None);
    };
    let Date(dob) = row.try_get(DOB)?;
    Ok(Some(Warrior {
        id: row.try_get(ID)?,
        name: row.try_get(NAME)?,
        dob,
        fight_skills,
    }))
}
