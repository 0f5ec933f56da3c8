//! One snapshot of the warriors in PostgreSQL: a `repeatable read` transaction that only reads, so that the API goes on
//! serving and every question is answered as of the same moment.

use std::error::Error;

use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{FromSql, Type};
use postgres::{Client, IsolationLevel, Row, RowIter, Transaction};
use uuid::Uuid;

use super::error::{Doing, MigrateError};
use super::ranges::Interval;
use super::row::canonical::Canonical;
use crate::store::calendar::{DAYS_1970_TO_2000, MICROS_1970_TO_2000};
use crate::store::{self, schema};

const ROWS: &str = concat!(
    include_str!("sql/postgres/rows.sql"),
    include_str!("sql/postgres/rows_between.sql")
);
const ROWS_BY_ID: &str = concat!(
    include_str!("sql/postgres/rows.sql"),
    include_str!("sql/postgres/rows_between.sql"),
    " order by id"
);
const COUNT: &str = include_str!("sql/postgres/count.sql");
const SNAPSHOT: &str = include_str!("sql/postgres/snapshot.sql");

/// The open transaction.
pub struct Snapshot<'c> {
    transaction: Transaction<'c>,
    /// Whether `created_at` is read.
    created_at: bool,
}

/// The rows of a statement, read as they are taken.
pub(super) struct Stored<'s> {
    rows: RowIter<'s>,
    created_at: bool,
}

/// How many warriors there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub(super) rows: u64,
    /// Of these, with an id above the one that was asked about.
    pub(super) above: u64,
}

impl<'c> Snapshot<'c> {
    /// Takes a snapshot; `client` is a direct connection of the owner.
    ///
    /// # Errors
    /// When the connection goes through a pooler, the table is not there, or the database refuses.
    pub fn take(client: &'c mut Client) -> Result<Self, MigrateError> {
        schema::prepare(client)?;
        let doing = "taking a snapshot";
        let mut transaction = (client.build_transaction())
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .doing(doing)?;
        let rows = transaction.query_typed(SNAPSHOT, &[]).doing(doing)?;
        if !rows.first().is_some_and(|row| row.get("present")) {
            return Err(MigrateError::Shape(
                "the database has no table public.warrior; check POSTGRES_DB, or make the table with: warrior-api \
                 schema apply"
                    .to_owned(),
            ));
        }
        Ok(Self {
            transaction,
            created_at: true,
        })
    }

    /// Leaves `created_at` out where `compared` is false: the other side has none.
    pub(super) fn with_created_at(&mut self, compared: bool) {
        self.created_at = compared;
    }

    pub(super) fn count(&mut self, above: Uuid) -> Result<Count, MigrateError> {
        let doing = "counting the warriors in PostgreSQL";
        let rows = (self.transaction)
            .query_typed(COUNT, &[(&above, Type::UUID)])
            .doing(doing)?;
        let number = |column| -> u64 {
            let number: Option<i64> = rows.first().map(|row| row.get(column));
            number.and_then(|n| n.try_into().ok()).unwrap_or_default()
        };
        Ok(Count {
            rows: number("rows"),
            above: number("above"),
        })
    }

    /// The rows of an interval as they stand.
    pub(super) fn rows(&mut self, ids: Interval) -> Result<Stored<'_>, MigrateError> {
        self.stored(ROWS, ids)
    }

    /// The rows of an interval in the order of their ids.
    pub(super) fn rows_by_id(&mut self, ids: Interval) -> Result<Stored<'_>, MigrateError> {
        self.stored(ROWS_BY_ID, ids)
    }

    fn stored(&mut self, sql: &str, (first, last): Interval) -> Result<Stored<'_>, MigrateError> {
        let rows = (self.transaction)
            .query_typed_raw(sql, [(first, Type::UUID), (last, Type::UUID)])
            .doing(READING)?;
        Ok(Stored {
            rows,
            created_at: self.created_at,
        })
    }
}

const READING: &str = "reading the warriors in PostgreSQL";

impl Stored<'_> {
    /// The next row as it came over the wire; [`Self::canonical`] reads it.
    pub(super) fn next(&mut self) -> Result<Option<Row>, MigrateError> {
        self.rows.next().doing(READING)
    }

    pub(super) fn canonical<'r>(&self, row: &'r Row) -> Result<Canonical<'r>, MigrateError> {
        let read = || -> Result<_, postgres::Error> {
            let skills: Option<Skills<'r>> = row.try_get(3)?;
            let time = match self.created_at {
                true => row.try_get::<_, Option<Time>>(4)?,
                false => None,
            };
            Ok(Canonical {
                id: row.try_get(0)?,
                name: row.try_get::<_, Option<&str>>(1)?.map(Into::into),
                dob: (row.try_get::<_, Option<Day>>(2)?)
                    .map(|Day(day)| day)
                    .ok_or(None),
                fight_skills: match skills {
                    None => Err(None),
                    Some(Skills::Nested) => Err(Some("an array of several dimensions".into())),
                    Some(Skills::List(texts)) => {
                        Ok(texts.into_iter().map(|text| text.map(Into::into)).collect())
                    }
                },
                created_at: time.map(|Time(time)| time),
            })
        };
        read().doing(READING)
    }
}

/// An array: what has several dimensions is no list of skills, and no other side has the like.
enum Skills<'a> {
    List(Vec<Option<&'a str>>),
    Nested,
}

impl<'a> FromSql<'a> for Skills<'a> {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let dimensions = raw
            .first_chunk()
            .map_or(0, |first| i32::from_be_bytes(*first));
        match dimensions > 1 {
            true => Ok(Self::Nested),
            false => store::Texts::from_sql(kind, raw).map(|store::Texts(texts)| Self::List(texts)),
        }
    }

    fn accepts(of: &Type) -> bool {
        store::Texts::accepts(of)
    }
}

struct Day(i64);

struct Time(i128);

impl<'a> FromSql<'a> for Day {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match i32::from_be_bytes(raw.try_into()?) {
            i32::MAX => i64::MAX,
            i32::MIN => i64::MIN,
            day => i64::from(day) + DAYS_1970_TO_2000,
        }))
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::DATE
    }
}

impl<'a> FromSql<'a> for Time {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match i64::from_be_bytes(raw.try_into()?) {
            i64::MAX => i128::MAX,
            i64::MIN => i128::MIN,
            time => i128::from(time) + i128::from(MICROS_1970_TO_2000),
        }))
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::TIMESTAMPTZ
    }
}
