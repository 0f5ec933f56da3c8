//! The store: SQL in, outcomes out.
//!
//! Every statement stands in a `.sql` file, takes its parameters typed, and goes out unnamed in one
//! round trip, so that any pooler in transaction mode can carry it. A statement is its own
//! transaction, and has succeeded only when the server is ready for the next one.

mod connection;
mod error;
mod pool_metrics;
pub mod schema;
mod tls;

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use postgres::Row;
use postgres::types::{ToSql, Type};
use prometheus_client::registry::Registry;
use r2d2::{Pool, PooledConnection};
use scheduled_thread_pool::ScheduledThreadPool;
use uuid::Uuid;

pub use connection::{LoginError, connect, connect_direct};
pub use error::{Class, StoreError};
pub use tls::TlsError;

use crate::config::{Database, Sizes};
use crate::warrior::{NewWarrior, StoredWarrior, Warrior};
use connection::{Epoch, Manager};
use pool_metrics::{PoolEvents, QuietErrors};

/// Longest wait for a connection; there is one for each worker, so a wait means that it is broken.
const CHECKOUT_TIMEOUT: Duration = Duration::from_millis(500);

const INSERT: &str = include_str!("sql/insert.sql");
const STORED: &str = include_str!("sql/stored.sql");
const FIND: &str = include_str!("sql/find.sql");
const COUNT: &str = include_str!("sql/count.sql");
const SEARCH: &str = include_str!("sql/search.sql");
const READY: &str = include_str!("sql/ready.sql");

/// A warrior to be stored.
#[derive(Clone, Debug)]
pub struct NewRow {
    /// Made before the request was queued, so that a repeated attempt is the same row.
    pub id: Uuid,
    /// The id was derived from a client's key: a row that exists already must be the same warrior.
    pub keyed: bool,
    /// What to store.
    pub warrior: Arc<NewWarrior>,
}

/// What became of a warrior to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// A committed row holds it.
    Stored,
    /// A committed row with this id holds another warrior.
    Mismatch,
    /// The row that was in the way is gone; nothing was stored.
    Vanished,
}

/// What to look up.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// The warrior with this id.
    Warrior(Uuid),
    /// How many warriors there are.
    Count,
}

/// What was looked up.
#[derive(Clone, Debug)]
pub enum Found {
    /// The warrior, if there is one.
    Warrior(Option<Arc<StoredWarrior>>),
    /// How many warriors there are.
    Count(i64),
}

/// At most 50 warriors, in the contract's order.
pub type SearchHits = Arc<[Warrior]>;

/// A batch of requests that becomes known once a connection is in hand.
pub type Send<'s, 'a, Q> = &'s mut (dyn FnMut() -> Vec<&'a Q> + 's);

/// The database, seen by worker threads. Clones share one pool.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    /// There until the last clone is dropped.
    pool: Option<Pool<Manager>>,
    epoch: Epoch,
}

impl Store {
    /// A store whose connections are opened in the background: the server starts before its
    /// database does.
    ///
    /// # Errors
    /// When the CA file cannot be used.
    pub fn new(
        database: &Database,
        sizes: &Sizes,
        registry: &mut Registry,
    ) -> Result<Self, TlsError> {
        let size = u32::try_from(sizes.pool()).unwrap_or(u32::MAX);
        let epoch = Epoch::default();
        let events = PoolEvents::register(registry, sizes.pool());
        // A login that hangs must not hold up the others.
        let login_threads = ScheduledThreadPool::builder()
            .num_threads(sizes.pool())
            .thread_name_pattern("r2d2-{}")
            .build();
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(
                u32::try_from(sizes.pool_min).unwrap_or(u32::MAX).min(size),
            ))
            .connection_timeout(database.connect_timeout)
            // All connections of one start would die together; PgBouncer renews the server's side.
            .max_lifetime(None)
            .idle_timeout(None)
            .event_handler(Box::new(events))
            .error_handler(Box::new(QuietErrors))
            .thread_pool(Arc::new(login_threads))
            .build_unchecked(Manager::new(database.clone(), epoch.clone())?);
        Ok(Self(Arc::new(Inner {
            pool: Some(pool),
            epoch,
        })))
    }

    /// Stores a batch, in one statement.
    ///
    /// # Errors
    /// Of the whole batch; its class says what is certain.
    pub fn create<'a>(&self, send: Send<'_, 'a, NewRow>) -> Result<Vec<Created>, StoreError> {
        let mut session = self.session()?;
        let rows = send();
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let inserted = session.insert(&rows)?;
        let times = rows.iter().fold(HashMap::new(), |mut times, row| {
            *times.entry(row.id).or_insert(0) += 1;
            times
        });
        // A keyless id is ours alone: a row that holds it is this one, stored by an earlier attempt.
        let in_doubt =
            |row: &NewRow| row.keyed && (!inserted.contains(&row.id) || times[&row.id] > 1);
        let ids: Vec<Uuid> = rows
            .iter()
            .filter(|row| in_doubt(row))
            .map(|row| row.id)
            .collect();
        let stored = if ids.is_empty() {
            HashMap::new()
        } else {
            session.stored(&ids)?
        };
        let outcome = |row: &&NewRow| match stored.get(&row.id) {
            _ if !in_doubt(row) => Created::Stored,
            None => Created::Vanished,
            Some(warrior) if *warrior == *row.warrior => Created::Stored,
            Some(_) => Created::Mismatch,
        };
        Ok(rows.iter().map(outcome).collect())
    }

    /// Finds a batch of warriors in one statement; all who count share another.
    ///
    /// # Errors
    /// Of the whole batch.
    pub fn find<'a>(&self, send: Send<'_, 'a, Lookup>) -> Result<Vec<Found>, StoreError> {
        let mut session = self.session()?;
        let lookups = send();
        let ids: HashSet<Uuid> = lookups
            .iter()
            .filter_map(|lookup| match lookup {
                Lookup::Warrior(id) => Some(*id),
                Lookup::Count => None,
            })
            .collect();
        let counts = lookups.iter().any(|lookup| matches!(lookup, Lookup::Count));
        let count = if counts { session.count()? } else { 0 };
        let warriors = if ids.is_empty() {
            HashMap::new()
        } else {
            session.find(ids)?
        };
        let found = |lookup: &&Lookup| match lookup {
            Lookup::Warrior(id) => Found::Warrior(warriors.get(id).cloned()),
            Lookup::Count => Found::Count(count),
        };
        Ok(lookups.iter().map(found).collect())
    }

    /// Searches once for all, since all terms of a batch are equal.
    ///
    /// # Errors
    /// Of the whole batch; [`Class::TooCostly`] when the statement ran out of its time.
    pub fn search<'a>(&self, send: Send<'_, 'a, String>) -> Result<Vec<SearchHits>, StoreError> {
        let mut session = self.session()?;
        let terms = send();
        let Some(term) = terms.first() else {
            return Ok(Vec::new());
        };
        let hits = session.search(term)?;
        Ok(terms.iter().map(|_| Arc::clone(&hits)).collect())
    }

    /// The version of the database's schema.
    ///
    /// # Errors
    /// When the database cannot be reached or has no schema of ours.
    pub fn schema_version(&self) -> Result<i32, StoreError> {
        let rows = self.session()?.read(READY, &[])?;
        let row = rows
            .first()
            .ok_or_else(|| StoreError::not_sent("ready.sql gave no row"))?;
        row.try_get(0).map_err(StoreError::of_row)
    }

    fn session(&self) -> Result<Session<'_>, StoreError> {
        let Some(pool) = &self.0.pool else {
            unreachable!("only drop takes the pool")
        };
        let connection = pool
            .get_timeout(CHECKOUT_TIMEOUT)
            .map_err(|e| StoreError::not_sent(format!("no connection: {e}")))?;
        Ok(Session {
            connection,
            epoch: &self.0.epoch,
        })
    }
}

impl Drop for Inner {
    /// Closing a client blocks, and the last clone may be dropped on an async thread.
    fn drop(&mut self) {
        let pool = self.pool.take();
        let _ = std::thread::Builder::new()
            .name("close".to_owned())
            .spawn(move || drop(pool));
    }
}

/// A connection in hand.
struct Session<'p> {
    connection: PooledConnection<Manager>,
    epoch: &'p Epoch,
}

impl Session<'_> {
    /// Inserts what is not there yet, and gives the ids that were new.
    fn insert(&mut self, rows: &[&NewRow]) -> Result<HashSet<Uuid>, StoreError> {
        // In one order everywhere, so that two batches cannot wait for each other.
        let mut sorted: Vec<&NewRow> = rows.to_vec();
        sorted.sort_unstable_by_key(|row| row.id);
        let ids: Vec<Uuid> = sorted.iter().map(|row| row.id).collect();
        let names: Vec<&str> = sorted.iter().map(|row| row.warrior.name.as_str()).collect();
        let dobs: Vec<&str> = sorted.iter().map(|row| row.warrior.dob.as_str()).collect();
        let skills: Vec<String> = sorted
            .iter()
            .map(|row| array_literal(&row.warrior.fight_skills))
            .collect();
        let params: &[(&(dyn ToSql + Sync), Type)] = &[
            (&ids, Type::UUID_ARRAY),
            (&names, Type::TEXT_ARRAY),
            (&dobs, Type::TEXT_ARRAY),
            (&skills, Type::TEXT_ARRAY),
        ];
        let new = self.run(INSERT, params).map_err(StoreError::of_write)?;
        new.iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, _>>()
            .map_err(StoreError::doubtful)
    }

    /// The warriors that hold these ids already, as a later snapshot sees them.
    fn stored(&mut self, ids: &[Uuid]) -> Result<HashMap<Uuid, NewWarrior>, StoreError> {
        let read = |row: Row| -> Result<_, postgres::Error> {
            let skills: Vec<Option<String>> = row.try_get("fight_skills")?;
            let warrior = NewWarrior {
                name: row.try_get("name")?,
                dob: row.try_get("dob")?,
                // A NULL among the skills came in by another way, and equals no client's skill.
                fight_skills: skills.into_iter().map(Option::unwrap_or_default).collect(),
            };
            Ok((row.try_get("id")?, warrior))
        };
        // Whatever fails here, the insert before it is committed.
        let rows = self
            .run(STORED, &[(&ids, Type::UUID_ARRAY)])
            .map_err(StoreError::doubtful)?;
        rows.into_iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(StoreError::doubtful)
    }

    fn find(
        &mut self,
        ids: HashSet<Uuid>,
    ) -> Result<HashMap<Uuid, Arc<StoredWarrior>>, StoreError> {
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let rows = self.read(FIND, &[(&ids, Type::UUID_ARRAY)])?;
        rows.iter()
            .map(|row| {
                let warrior = warrior(row)?;
                let created_at = row.try_get("created_at")?;
                Ok((
                    warrior.id,
                    Arc::new(StoredWarrior {
                        warrior,
                        created_at,
                    }),
                ))
            })
            .collect::<Result<_, _>>()
            .map_err(StoreError::of_row)
    }

    fn count(&mut self) -> Result<i64, StoreError> {
        let rows = self.read(COUNT, &[])?;
        rows.first()
            .map_or(Ok(0), |row| row.try_get(0))
            .map_err(StoreError::of_row)
    }

    fn search(&mut self, term: &str) -> Result<SearchHits, StoreError> {
        let rows = self.read(SEARCH, &[(&term, Type::TEXT)])?;
        rows.iter()
            .map(warrior)
            .collect::<Result<_, _>>()
            .map_err(StoreError::of_row)
    }

    fn read(
        &mut self,
        sql: &str,
        params: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, StoreError> {
        self.run(sql, params).map_err(StoreError::of_read)
    }

    fn run(
        &mut self,
        sql: &str,
        params: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, postgres::Error> {
        let result = self
            .connection
            .run(|client| client.query_typed(sql, params));
        if result.is_err() && self.connection.is_spent() {
            self.epoch.suspect_all();
        }
        result
    }
}

fn warrior(row: &Row) -> Result<Warrior, postgres::Error> {
    Ok(Warrior {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        dob: row.try_get("dob")?,
        fight_skills: row.try_get("fight_skills")?,
    })
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

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        text.push_str(": ");
        text.push_str(&e.to_string());
        cause = e.source();
    }
    text
}

#[cfg(test)]
mod tests;
