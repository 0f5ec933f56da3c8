//! The store: SQL in, outcomes out.
//!
//! Every statement stands in a `.sql` file, takes its parameters typed, and goes out unnamed in one
//! round trip, so that any pooler in transaction mode can carry it. A statement is its own
//! transaction, and has succeeded only when the server is ready for the next one.

mod backlog;
mod connection;
mod deadline;
mod drift;
mod error;
mod flusher;
mod login;
mod mend;
mod pool_metrics;
mod pooler;
mod replication;
mod resolver;
pub mod schema;
mod session;
mod start;
mod tls;
mod values;

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use prometheus_client::registry::Registry;
use r2d2::Pool;
use scheduled_thread_pool::ScheduledThreadPool;
use uuid::Uuid;

pub use error::{Class, StoreError};
pub use login::{LoginError, connect, connect_direct};
pub use pooler::shortcomings as pooler_shortcomings;
pub use start::Look;
pub use tls::TlsError;
pub use values::{Date, Moment, Texts};

use crate::config::{Database, Secret, Sizes};
use crate::warrior::{NewWarrior, StoredWarrior, Warrior};
use backlog::Backlog;
use connection::{Health, Manager};
use pool_metrics::{LoginFailures, PoolEvents};
use session::{Session, Stored};

/// Longest wait for a connection; there is one for each worker, so a wait means that it is broken.
const CHECKOUT_TIMEOUT: Duration = Duration::from_millis(500);
/// The same while logins fail: r2d2 would let each batch wait for a login that is not to be had.
const CHECKOUT_TIMEOUT_FAILING: Duration = Duration::from_millis(20);

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
    /// Something of others, a trigger or row-level security, kept the row out; nothing was stored, and nothing would
    /// be by another attempt.
    Refused,
    /// A committed row is not the warrior that was sent: a trigger of others changed it on its way, its id even, or
    /// the key was used for another one before. Which of these it was, nobody can tell.
    Altered,
}

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The CA file cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system refuses a thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// What to look up.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// The warrior with this id.
    Warrior(Uuid),
    /// How many warriors there are.
    Count,
}

/// What was looked up; `A` is what the caller made of a row.
#[derive(Clone, Debug)]
pub enum Found<A> {
    /// The warrior, if there is one.
    Warrior(Option<A>),
    /// How many warriors there are.
    Count(i64),
}

/// What the database can do for this program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// The version of its schema; 0 when it has none of ours.
    pub schema_version: i32,
    /// Whether anything can be stored.
    pub writes: Writes,
}

/// Whether anything can be stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Writes {
    /// As far as settings go.
    #[default]
    Possible,
    /// `default_transaction_read_only` is on, for the server, the database or the role.
    ReadOnly,
    /// The server is a standby, or recovers.
    Standby,
}

/// A batch of requests that becomes known once a connection is in hand.
pub type Send<'s, 'a, Q> = &'s mut (dyn FnMut() -> Claimed<'a, Q> + 's);

/// Requests that count as sent from now on.
#[derive(Debug)]
pub struct Claimed<'a, Q> {
    /// One for each reply, in the same order.
    pub queries: Vec<&'a Q>,
    /// When the last of them stops waiting.
    pub deadline: Instant,
}

/// The database, seen by worker threads. Clones share one pool.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    /// There until the last clone is dropped.
    pool: Option<Pool<Manager>>,
    health: Health,
    /// Ends the flusher when it is dropped.
    backlog: Backlog,
}

impl Store {
    /// A store whose connections are opened in the background: the server starts before its
    /// database does.
    ///
    /// # Errors
    /// When the CA file cannot be used, or the system refuses a thread.
    pub fn new(
        database: &Database,
        sizes: &Sizes,
        registry: &mut Registry,
    ) -> Result<Self, StartError> {
        let size = u32::try_from(sizes.pool()).unwrap_or(u32::MAX);
        let health = Health::default();
        let events = PoolEvents::register(registry, sizes.pool());
        // A login that takes all of its time must not hold up the others.
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
            .error_handler(Box::new(LoginFailures))
            .thread_pool(Arc::new(login_threads))
            .build_unchecked(Manager::new(database.clone(), health.clone())?);
        let (flusher, enough) = sync_channel(1);
        let inner = Arc::new(Inner {
            pool: Some(pool),
            health,
            backlog: Backlog::new(flusher),
        });
        let drift = drift::Watch::register(registry);
        flusher::start(Arc::downgrade(&inner), enough, drift)?;
        Ok(Self(inner))
    }

    /// Stores a batch, in one statement.
    ///
    /// # Errors
    /// Of the whole batch; its class says what is certain.
    pub fn create<'a>(&self, send: Send<'_, 'a, NewRow>) -> Result<Vec<Created>, StoreError> {
        let _turn = self.0.backlog.turn();
        let mut session = self.0.session()?;
        let rows = session.claim(send);
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let inserted = session.insert(&rows)?;
        let added = rows.iter().filter(|row| inserted.ids.contains(&row.id));
        self.0
            .backlog
            .add(added.map(|row| backlog::entries(row)).sum());
        let times = rows.iter().fold(HashMap::new(), |mut times, row| {
            *times.entry(row.id).or_insert(0) += 1;
            times
        });
        // A trigger that gives a row another id hides which row it was.
        let replaced = inserted.ids.iter().any(|id| !times.contains_key(id));
        // A row proves what it holds when this statement alone added it, and no trigger of others saw it. Any other
        // comes of an earlier attempt, which may have committed on this server alone.
        let in_doubt =
            |row: &NewRow| inserted.others || !inserted.ids.contains(&row.id) || times[&row.id] > 1;
        let ids: Vec<Uuid> = rows
            .iter()
            .filter(|row| in_doubt(row))
            .map(|row| row.id)
            .collect();
        let stored = match ids.is_empty() {
            true => Stored::default(),
            false => session.stored(&ids)?,
        };
        let outcome = |row: &&NewRow| match stored.warriors.get(&row.id) {
            _ if !in_doubt(row) => Created::Stored,
            None if replaced => Created::Altered,
            None if stored.others => Created::Refused,
            None => Created::Vanished,
            Some(warrior) if *warrior == *row.warrior => Created::Stored,
            // A keyless id is ours alone.
            Some(_) if stored.others || !row.keyed => Created::Altered,
            Some(_) => Created::Mismatch,
        };
        Ok(rows.iter().map(outcome).collect())
    }

    /// Finds a batch of warriors in one statement; all who count share another. Each warrior is given to
    /// `render` as it arrives, once for all who asked for it: `None` in place of one that is too large to be read.
    ///
    /// # Errors
    /// Of the whole batch.
    pub fn find<'a, A: Clone>(
        &self,
        send: Send<'_, 'a, Lookup>,
        render: impl FnMut(Option<&StoredWarrior>) -> A,
    ) -> Result<Vec<Found<A>>, StoreError> {
        let mut session = self.0.session()?;
        let lookups = session.claim(send);
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
            session.find(ids, render)?
        };
        let found = |lookup: &&Lookup| match lookup {
            Lookup::Warrior(id) => Found::Warrior(warriors.get(id).cloned()),
            Lookup::Count => Found::Count(count),
        };
        Ok(lookups.iter().map(found).collect())
    }

    /// Searches once for each different term of a batch, in one statement. Gives for each request the number
    /// of its term, from 0 in order of appearance. The hits, at most 50 for a term, are given to `take` as they
    /// arrive, with that number, term by term and each in the contract's order: `None` in place of one that is too
    /// large to be read.
    ///
    /// # Errors
    /// Of the whole batch; [`Class::TooCostly`] when the statement ran out of its time.
    pub fn search<'a>(
        &self,
        send: Send<'_, 'a, String>,
        mut take: impl FnMut(usize, Option<&Warrior>),
    ) -> Result<Vec<usize>, StoreError> {
        let mut session = self.0.session()?;
        let terms = session.claim(send);
        let mut different: Vec<&str> = Vec::new();
        let places: Vec<usize> = terms
            .iter()
            .map(|term| {
                let known = different.iter().position(|other| *other == term.as_str());
                known.unwrap_or_else(|| {
                    self.0.backlog.read();
                    different.push(term);
                    different.len() - 1
                })
            })
            .collect();
        match different.as_slice() {
            [] => {}
            [term] => session.search(term, |hit| take(0, hit))?,
            terms => session.searches(terms, take)?,
        }
        Ok(places)
    }

    /// What the database can do.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn readiness(&self) -> Result<Readiness, StoreError> {
        self.0.session()?.readiness()
    }
}

impl Readiness {
    /// Whether all of the API can be served by a program that needs `schema_version`.
    ///
    /// # Errors
    /// What is missing, and the next command to type.
    pub fn suffices(self, schema_version: i32) -> Result<(), String> {
        if self.schema_version < schema_version {
            return Err(format!(
                "the database has schema version {}, this program needs {schema_version}; run \
                 `warrior-api schema apply`",
                self.schema_version
            ));
        }
        match self.writes {
            Writes::Possible => Ok(()),
            Writes::ReadOnly => Err(
                "the database is read only (default_transaction_read_only is on), so nothing can be \
                 stored; find where it is set with psql's `\\drds`, and undo it: alter database ... reset \
                 default_transaction_read_only"
                    .to_owned(),
            ),
            Writes::Standby => Err(
                "the database is a standby or recovers (pg_is_in_recovery), so nothing can be stored; \
                 set POSTGRES_HOST to the primary, or promote this server: select pg_promote()"
                    .to_owned(),
            ),
        }
    }
}

impl Store {
    /// The secret that the database keeps for all servers; none when somebody has removed it.
    ///
    /// # Errors
    /// When the database cannot be reached, or has no such table, or does not show it to this role.
    pub fn secret(&self) -> Result<Option<Secret>, StoreError> {
        self.0.session()?.secret()
    }
}

impl Inner {
    fn session(&self) -> Result<Session<'_>, StoreError> {
        let Some(pool) = &self.pool else {
            unreachable!("only drop takes the pool")
        };
        let health = &self.health;
        let timeout = match health.last_failure() {
            Some(_) => CHECKOUT_TIMEOUT_FAILING,
            None => CHECKOUT_TIMEOUT,
        };
        let connection = pool.get_timeout(timeout).map_err(|e| {
            StoreError::not_sent(match health.last_failure() {
                Some(why) => format!("no connection: {why}"),
                None => format!("no connection: {e}"),
            })
        })?;
        Ok(Session::new(connection, health))
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
