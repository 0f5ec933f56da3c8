//! A connection in hand: one method for each statement.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{ToSql, Type};
use postgres::{Client, Row};
use r2d2::PooledConnection;
use uuid::Uuid;

use super::connection::{Health, Manager};
use super::drift::Drift;
use super::mend::{self, Repair, Suspect};
use super::values::{Date, Moment, Texts};
use super::{Claimed, NewRow, Readiness, Send, StoreError, Writes};
use crate::config::Secret;
use crate::throttle::throttled;
use crate::warrior::{NewWarrior, StoredWarrior, Warrior};

const INSERT: &str = include_str!("sql/insert.sql");
const STORED: &str = include_str!("sql/stored.sql");
const FIND: &str = include_str!("sql/find.sql");
const COUNT: &str = include_str!("sql/count.sql");
const SEARCH: &str = include_str!("sql/search.sql");
const SEARCHES: &str = include_str!("sql/searches.sql");
const DRIFT: &str = include_str!("sql/drift.sql");
const READY: &str = include_str!("sql/ready.sql");
const SECRET: &str = include_str!("sql/secret.sql");
const FLUSH: &str = include_str!("sql/flush.sql");

/// The role's `statement_timeout` (`postgres-conf/roles.sql`): a server that is slow says so itself by then,
/// which ends the statement there, too, and keeps the connection.
pub(super) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(2);
/// How much later than that, and than the last request of a batch, its worker gives up. By then the front end
/// has answered for all of them, so no answer depends on it.
const GRACE: Duration = Duration::from_millis(500);
/// How long a flush may take: longer than PgBouncer's `query_timeout`, which is longer than that of flush.sql.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(6);

/// A connection in hand.
pub(super) struct Session<'p> {
    connection: PooledConnection<Manager>,
    health: &'p Health,
    /// When its statements are given up, and the connection with them.
    until: Instant,
}

/// What an insert added.
pub(super) struct Inserted {
    /// The ids of the rows that were added.
    pub(super) ids: HashSet<Uuid>,
    /// There are triggers of others, so that an added row need not hold, or still be, what was sent.
    pub(super) others: bool,
}

/// What is there under ids that were in doubt.
#[derive(Default)]
pub(super) struct Stored {
    pub(super) warriors: HashMap<Uuid, NewWarrior>,
    /// Something of others may be why a row is missing or differs.
    pub(super) others: bool,
}

impl<'p> Session<'p> {
    /// A session that is [given requests](Self::claim), or a time, before its first statement.
    pub(super) fn new(connection: PooledConnection<Manager>, health: &'p Health) -> Self {
        Self {
            connection,
            health,
            until: Instant::now(),
        }
    }

    /// Takes the requests of a batch over, and the time that they have.
    pub(super) fn claim<'a, Q>(&mut self, send: Send<'_, 'a, Q>) -> Vec<&'a Q> {
        let Claimed { queries, deadline } = send();
        self.until = deadline.max(Instant::now() + STATEMENT_TIMEOUT) + GRACE;
        queries
    }

    /// Inserts what is not there yet.
    pub(super) fn insert(&mut self, rows: &[&NewRow]) -> Result<Inserted, StoreError> {
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
        self.replicated()?;
        let read = || -> Result<_, postgres::Error> {
            Ok(Inserted {
                ids: new
                    .iter()
                    .map(|row| row.try_get(0))
                    .collect::<Result<_, _>>()?,
                others: new.first().map_or(Ok(false), |row| row.try_get(1))?,
            })
        };
        read().map_err(StoreError::doubtful)
    }

    /// The warriors that hold these ids, as a later snapshot sees them.
    pub(super) fn stored(&mut self, ids: &[Uuid]) -> Result<Stored, StoreError> {
        // Whatever fails here, the insert before it is committed.
        let rows = self
            .run(STORED, &[(&ids, Type::UUID_ARRAY)])
            .map_err(StoreError::doubtful)?;
        self.replicated()?;
        let read = || -> Result<_, postgres::Error> {
            let mut stored = Stored::default();
            for row in &rows {
                stored.others = row.try_get(4)?;
                if row.try_get::<_, Option<Uuid>>(0)?.is_none() {
                    continue;
                }
                let Warrior {
                    id,
                    name,
                    dob,
                    fight_skills,
                } = warrior(row)?;
                // A NULL among the skills came in by another way, and equals no client's skill.
                let fight_skills = fight_skills.into_iter().map(Option::unwrap_or_default);
                let warrior = NewWarrior {
                    name: name.to_owned(),
                    dob,
                    fight_skills: fight_skills.map(str::to_owned).collect(),
                };
                stored.warriors.insert(id, warrior);
            }
            Ok(stored)
        };
        read().map_err(StoreError::doubtful)
    }

    /// Gives each warrior to `render` as it arrives: `None` in place of one that is too large to be read.
    pub(super) fn find<A>(
        &mut self,
        ids: HashSet<Uuid>,
        mut render: impl FnMut(Option<&StoredWarrior>) -> A,
    ) -> Result<HashMap<Uuid, A>, StoreError> {
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let mut found = HashMap::with_capacity(ids.len());
        self.each(FIND, &[(&ids, Type::UUID_ARRAY)], |row| {
            let created_at: Option<Moment> = row.try_get(4)?;
            let stored = bounded(row)?.map(|warrior| StoredWarrior {
                warrior,
                created_at: created_at.map(|Moment(text)| text),
            });
            found.insert(row.try_get(0)?, render(stored.as_ref()));
            Ok(())
        })?;
        Ok(found)
    }

    pub(super) fn count(&mut self) -> Result<i64, StoreError> {
        let rows = self.read(COUNT, &[])?;
        rows.first()
            .map_or(Ok(0), |row| row.try_get(0))
            .map_err(StoreError::of_row)
    }

    /// Gives each hit to `take` as it arrives: `None` in place of one that is too large to be read.
    pub(super) fn search(
        &mut self,
        term: &str,
        mut take: impl FnMut(Option<&Warrior>),
    ) -> Result<(), StoreError> {
        self.each(SEARCH, &[(&term, Type::TEXT)], |row| {
            take(bounded(row)?.as_ref());
            Ok(())
        })
    }

    /// Searches for each of these terms, in one statement; the hits come term by term, with its number.
    pub(super) fn searches(
        &mut self,
        terms: &[&str],
        mut take: impl FnMut(usize, Option<&Warrior>),
    ) -> Result<(), StoreError> {
        let mut strange = false;
        self.each(SEARCHES, &[(&terms, Type::TEXT_ARRAY)], |row| {
            let place: i64 = row.try_get(4)?;
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

    /// Empties the pending lists of the search indexes.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        self.until = Instant::now() + FLUSH_TIMEOUT;
        // Without repair: the statement has a limit of its own, which is no other client's.
        let result = (self.connection).run(self.until, |client| client.batch_execute(FLUSH));
        self.noticed(result).map_err(StoreError::of_read)
    }

    pub(super) fn readiness(&mut self) -> Result<Readiness, StoreError> {
        self.until = Instant::now() + STATEMENT_TIMEOUT + GRACE;
        self.said(readiness).map_err(StoreError::of_read)
    }

    /// What was committed may be told of only if the standbys that it waits for have it.
    fn replicated(&self) -> Result<(), StoreError> {
        match self.connection.standby_wait_was_cancelled() {
            true => Err(StoreError::not_replicated()),
            false => Ok(()),
        }
    }

    /// Reads row by row: a result is never in memory as a whole, however large its rows are. All of it is
    /// read, whatever `take` says, so that the connection can be used again.
    fn each(
        &mut self,
        sql: &str,
        params: &[(&(dyn ToSql + Sync), Type)],
        take: impl FnMut(&Row) -> Result<(), postgres::Error>,
    ) -> Result<(), StoreError> {
        let (take, taken, begun) = (RefCell::new(take), Cell::new(Ok(())), Cell::new(false));
        let statement = |client: &mut Client| {
            let params = params.iter().map(|(value, of)| (*value, of.clone()));
            let mut rows = client.query_typed_raw(sql, params)?;
            while let Some(row) = rows.next()? {
                begun.set(true);
                let before = taken.replace(Ok(()));
                taken.set(before.and_then(|()| (take.borrow_mut())(&row)));
            }
            Ok(())
        };
        // Rows that were taken once cannot be taken again.
        self.said_while(|| !begun.get(), statement)
            .map_err(StoreError::of_read)?;
        taken.into_inner().map_err(StoreError::of_row)
    }

    /// The secret that the database keeps; none when its row is missing.
    pub(super) fn secret(&mut self) -> Result<Option<Secret>, StoreError> {
        self.until = Instant::now() + STATEMENT_TIMEOUT + GRACE;
        let rows = self.read(SECRET, &[])?;
        let secret = rows.first().map(|row| row.try_get::<_, String>(0));
        Ok(secret
            .transpose()
            .map_err(StoreError::of_row)?
            .map(Secret::new))
    }

    /// Compares the table with what its triggers keep; counts at most `count_rows_max` rows. None while somebody
    /// holds the table.
    pub(super) fn drift(&mut self, count_rows_max: i64) -> Result<Option<Drift>, StoreError> {
        self.until = Instant::now() + STATEMENT_TIMEOUT + GRACE;
        let rows = self.read(DRIFT, &[(&count_rows_max, Type::INT8)])?;
        let row = rows
            .first()
            .ok_or_else(|| StoreError::malformed("drift.sql gave no row"))?;
        Drift::of_row(row).map_err(StoreError::of_row)
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
        self.said(|client| client.query_typed(sql, params))
    }

    fn said<T>(
        &mut self,
        statement: impl Fn(&mut Client) -> Result<T, postgres::Error>,
    ) -> Result<T, postgres::Error> {
        self.said_while(|| true, statement)
    }

    /// Runs a statement, and once more in a session that is reset if another client's settings made it fail:
    /// as long as it may be `repeated`.
    fn said_while<T>(
        &mut self,
        repeated: impl Fn() -> bool,
        statement: impl Fn(&mut Client) -> Result<T, postgres::Error>,
    ) -> Result<T, postgres::Error> {
        let began = Instant::now();
        let mut result = self.connection.run(self.until, &statement);
        if let Err(e) = &result
            && let Some(suspect) = Suspect::of(e, began.elapsed())
        {
            let again = |client: &mut Client| match repeated() {
                true => statement(client).map(Some),
                false => Ok(None),
            };
            match self.connection.mend(self.until, suspect, &again) {
                Some(Ok(Some(value))) => {
                    throttled!(
                        WARN,
                        "a statement that had failed was run again in a session that was reset: another client \
                         may have changed its settings; let people log in as roles of their own",
                        lane = "",
                        reason = e.code().map_or("", SqlState::code).to_owned(),
                        error = e.as_db_error().map(tracing::field::display)
                    );
                    return Ok(value);
                }
                Some(Ok(None)) => {}
                None => self.connection.failed(e),
                Some(Err(later)) => result = Err(later),
            }
        }
        self.noticed(result)
    }

    /// Has all connections asked whether they live once one of them has failed.
    fn noticed<T>(&self, result: Result<T, postgres::Error>) -> Result<T, postgres::Error> {
        if result.is_err() && self.connection.is_spent() {
            self.health.suspect_all();
        }
        result
    }
}

/// What the database can do. Where this session alone is read only, another client has left it so.
pub(super) fn readiness(client: &mut Client) -> Result<Readiness, postgres::Error> {
    let ask = |client: &mut Client| match client.query_typed(READY, &[]) {
        Err(e) if e.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(Readiness::default()),
        answer => ready_row(&answer?),
    };
    let ready = ask(client)?;
    if ready.writes == Writes::ReadOnly {
        let Repair { again, open } = mend::run(client, Suspect::Setting, &ask);
        return open.map_or(again.unwrap_or(Ok(ready)), Err);
    }
    Ok(ready)
}

/// An aggregate has a row in any case.
fn ready_row(rows: &[Row]) -> Result<Readiness, postgres::Error> {
    let Some(row) = rows.first() else {
        return Ok(Readiness::default());
    };
    let version: Option<i32> = row.try_get("version")?;
    Ok(Readiness {
        schema_version: version.unwrap_or(0),
        writes: match (row.try_get("standby")?, row.try_get("read_only")?) {
            (true, _) => Writes::Standby,
            (false, true) => Writes::ReadOnly,
            (false, false) => Writes::Possible,
        },
    })
}

/// The first four columns of find.sql, search.sql, searches.sql and stored.sql. By number, since a name would be compared
/// with those of all columns, for each field of each row.
fn warrior(row: &Row) -> Result<Warrior<'_>, postgres::Error> {
    row.try_get(3).and_then(|skills| with(row, skills))
}

/// As [`warrior`]; `None` when the statement left out skills that are too large to be read.
fn bounded(row: &Row) -> Result<Option<Warrior<'_>>, postgres::Error> {
    let skills: Option<Texts> = row.try_get(3)?;
    skills.map(|skills| with(row, skills)).transpose()
}

fn with<'r>(row: &'r Row, Texts(fight_skills): Texts<'r>) -> Result<Warrior<'r>, postgres::Error> {
    let Date(dob) = row.try_get(2)?;
    Ok(Warrior {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        dob,
        fight_skills,
    })
}

/// A PostgreSQL array literal, each element quoted. A parameter per skill could not carry rows with
/// different numbers of skills.
pub(super) fn array_literal(items: &[String]) -> String {
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
