//! Canonical rows: each row of a file as a warrior that PostgreSQL and the contract can hold, or the reason why not.
//!
//! Nothing is altered: text is taken code point for code point, a date day for day, a time to the microsecond. The one
//! liberty is the spelling of an id (case, hyphens), which is the same UUID, and space around skills between commas.

pub(super) mod canonical;
mod refusal;

use std::borrow::Cow;

use chrono::{Datelike, NaiveDate};
use serde_json::{Value, json};
use uuid::Uuid;
use warrior_duckdb::arrow_array::cast::AsArray;
use warrior_duckdb::arrow_array::types::{Date32Type, Int64Type, TimestampMicrosecondType};
use warrior_duckdb::arrow_array::{
    Array, GenericListArray, Int64Array, PrimitiveArray, RecordBatch, StringArray,
};

pub use refusal::{Reason, Refusal};

use super::error::MigrateError;
use super::skills::{NotJson, skills_of};
use super::source::Source;
use super::written;
use crate::config::SkillsText;
use crate::store::calendar::MICROS_IN_DAY;
use crate::warrior::{NAME_MAX, SKILL_MAX, SKILLS_MAX};

/// 0001-01-01 and 9999-12-31 as days since 1970-01-01.
const DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;

/// A row of a file, in canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'b> {
    /// Its place in the file (DuckDB's `rowid`).
    pub position: i64,
    /// The id.
    pub id: Uuid,
    /// The name.
    pub name: &'b str,
    /// Days since 1970-01-01.
    pub dob: i32,
    /// The skills, in order.
    pub fight_skills: Vec<Cow<'b, str>>,
    /// Microseconds since 1970-01-01 00:00 UTC; none where the file has no such column.
    pub created_at: Option<i64>,
}

/// Rows that came together, column by column.
pub struct Batch<'b> {
    positions: &'b Int64Array,
    ids: &'b StringArray,
    names: &'b StringArray,
    dobs: Dobs<'b>,
    skills: Skills<'b>,
    created_at: Option<&'b PrimitiveArray<TimestampMicrosecondType>>,
    /// The ids that stand more than once, ascending.
    repeated: &'b [Uuid],
    /// Whether it was guessed how skills are written.
    guessed: bool,
}

enum Dobs<'b> {
    Days(&'b PrimitiveArray<Date32Type>),
    Texts(&'b StringArray),
}

enum Skills<'b> {
    Lists(&'b GenericListArray<i32>, &'b StringArray),
    Texts(&'b StringArray, SkillsText),
}

impl<'b> Batch<'b> {
    /// The rows of one batch of [`Source::rows`].
    ///
    /// # Errors
    /// When DuckDB gave columns of other types than it was asked for.
    pub fn of(source: &'b Source, batch: &'b RecordBatch) -> Result<Self, MigrateError> {
        Self::columns(source, batch).ok_or_else(|| {
            let schema = batch.schema();
            let found = schema.fields().iter().map(|field| field.to_string());
            MigrateError::Shape(format!(
                "DuckDB gave columns that were not asked for: {}; use the libduckdb that `make duckdb` fetches",
                found.collect::<Vec<_>>().join(", ")
            ))
        })
    }

    fn columns(source: &'b Source, batch: &'b RecordBatch) -> Option<Self> {
        let column = |place| batch.columns().get(place);
        let skills = column(4)?;
        let dobs = column(3)?;
        Some(Self {
            positions: column(0)?.as_primitive_opt::<Int64Type>()?,
            ids: column(1)?.as_string_opt()?,
            names: column(2)?.as_string_opt()?,
            dobs: match dobs.as_primitive_opt() {
                Some(days) => Dobs::Days(days),
                None => Dobs::Texts(dobs.as_string_opt()?),
            },
            skills: match source.skills_text {
                None => {
                    let lists = skills.as_list_opt()?;
                    Skills::Lists(lists, lists.values().as_string_opt()?)
                }
                Some(written) => Skills::Texts(skills.as_string_opt()?, written),
            },
            created_at: match source.has_created_at() {
                true => Some(column(5)?.as_primitive_opt()?),
                false => None,
            },
            repeated: &source.repeated,
            guessed: source.guessed,
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// The place in the file of the row at `at`.
    pub fn position(&self, at: usize) -> i64 {
        self.positions.value(at)
    }

    /// The id of the row at `at` as the file has it.
    pub fn written_id(&self, at: usize) -> Option<&'b str> {
        (!self.ids.is_null(at)).then(|| self.ids.value(at))
    }

    /// The row at `at`.
    ///
    /// # Errors
    /// The first reason, in the order of the columns, why it is not a warrior.
    pub fn row(&self, at: usize) -> Result<Row<'b>, Refusal> {
        let within = |column: &'static str| move |reason| Refusal { column, reason };
        Ok(Row {
            position: self.position(at),
            id: self.id(at).map_err(within("id"))?,
            name: (value(self.names, at).and_then(name)).map_err(within("name"))?,
            dob: self.dob(at).map_err(within("dob"))?,
            fight_skills: self.skills(at).map_err(within("fight_skills"))?,
            created_at: self.created_at(at).map_err(within("created_at"))?,
        })
    }

    /// The row at `at` as the file has it, whatever is wrong with it.
    pub fn written(&self, at: usize) -> Value {
        let text = |texts: &StringArray| value(texts, at).map_or(Value::Null, Value::from);
        let mut row = json!({
            "id": text(self.ids),
            "name": text(self.names),
            "dob": match &self.dobs {
                Dobs::Texts(texts) => text(texts),
                Dobs::Days(days) if days.is_null(at) => Value::Null,
                Dobs::Days(days) => written::day(days.value(at)).into(),
            },
            "fight_skills": match &self.skills {
                Skills::Texts(texts, _) => text(texts),
                Skills::Lists(lists, _) if lists.is_null(at) => Value::Null,
                Skills::Lists(lists, items) => items_of(lists, items, at).collect(),
            },
        });
        if let Some(times) = self.created_at {
            row["created_at"] = match times.is_null(at) {
                true => Value::Null,
                false => written::time(times.value(at)).into(),
            };
        }
        row
    }

    fn id(&self, at: usize) -> Result<Uuid, Reason> {
        let id = uuid(value(self.ids, at)?).ok_or(Reason::NotUuid)?;
        match self.repeated.binary_search(&id) {
            Ok(_) => Err(Reason::Repeated),
            Err(_) => Ok(id),
        }
    }

    fn dob(&self, at: usize) -> Result<i32, Reason> {
        match self.dobs {
            Dobs::Texts(texts) => written_day(value(texts, at)?).ok_or(Reason::NotDate),
            Dobs::Days(days) if days.is_null(at) => Err(Reason::Null),
            Dobs::Days(days) => {
                let day = days.value(at);
                if written::is_infinite_day(day) {
                    return Err(Reason::Infinite);
                }
                within_years(i64::from(day)).map(|()| day)
            }
        }
    }

    fn skills(&self, at: usize) -> Result<Vec<Cow<'b, str>>, Reason> {
        let found: Vec<Cow<'b, str>> = match &self.skills {
            Skills::Lists(lists, _) if lists.is_null(at) => return Err(Reason::Null),
            Skills::Lists(lists, items) => items_of(lists, items, at)
                .map(|item| item.map(Cow::Borrowed).ok_or(Reason::NullItem))
                .collect::<Result<_, _>>()?,
            Skills::Texts(texts, form) => {
                let text = value(texts, at)?;
                if self.guessed && *form == SkillsText::Comma {
                    looks_between_commas(text)?;
                }
                skills_of(text, *form)
                    .map_err(|NotJson| Reason::NotJson)?
                    .into_iter()
                    .map(|item| item.map(Cow::Owned).ok_or(Reason::NullItem))
                    .collect::<Result<_, _>>()?
            }
        };
        match found.len() {
            0 => return Err(Reason::Empty),
            n if n > SKILLS_MAX => return Err(Reason::TooMany),
            _ => {}
        }
        found.iter().try_for_each(|one| skill(one))?;
        Ok(found)
    }

    fn created_at(&self, at: usize) -> Result<Option<i64>, Reason> {
        let Some(times) = self.created_at else {
            return Ok(None);
        };
        if times.is_null(at) {
            return Err(Reason::Null);
        }
        let time = times.value(at);
        if written::is_infinite_time(time) {
            return Err(Reason::Infinite);
        }
        within_years(time.div_euclid(MICROS_IN_DAY)).map(|()| Some(time))
    }
}

fn value(texts: &StringArray, at: usize) -> Result<&str, Reason> {
    match texts.is_null(at) {
        true => Err(Reason::Null),
        false => Ok(texts.value(at)),
    }
}

/// With hyphens or without, in either case.
fn uuid(text: &str) -> Option<Uuid> {
    matches!(text.len(), 32 | 36)
        .then(|| Uuid::try_parse(text).ok())
        .flatten()
}

fn name(text: &str) -> Result<&str, Reason> {
    if text.contains('\0') {
        return Err(Reason::Nul);
    }
    match text.chars().count() {
        0 => Err(Reason::Empty),
        n if n > NAME_MAX => Err(Reason::TooLong),
        _ => Ok(text),
    }
}

fn skill(text: &str) -> Result<(), Reason> {
    if text.contains('\0') {
        return Err(Reason::Nul);
    }
    match text.chars().count() {
        0 => Err(Reason::EmptyItem),
        n if n > SKILL_MAX => Err(Reason::TooLongItem),
        _ => Ok(()),
    }
}

fn within_years(day: i64) -> Result<(), Reason> {
    match day {
        day if day < i64::from(*DAYS.start()) => Err(Reason::BeforeChrist),
        day if day > i64::from(*DAYS.end()) => Err(Reason::After9999),
        _ => Ok(()),
    }
}

/// As the contract has it: chrono alone would accept `2020-1-1`; writing the date back settles it.
fn written_day(text: &str) -> Option<i32> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    let day = date.signed_duration_since(NaiveDate::default()).num_days();
    let right = (1..=9999).contains(&date.year()) && date.format("%Y-%m-%d").to_string() == text;
    right.then(|| i32::try_from(day).ok()).flatten()
}

fn items_of<'b>(
    lists: &GenericListArray<i32>,
    items: &'b StringArray,
    at: usize,
) -> impl Iterator<Item = Option<&'b str>> {
    let offsets = lists.value_offsets();
    let place = |offset: i32| usize::try_from(offset).unwrap_or_default();
    (place(offsets[at])..place(offsets[at + 1]))
        .map(|item| (!items.is_null(item)).then(|| items.value(item)))
}

/// A text that was guessed to have skills between commas is refused where another reading is as likely.
fn looks_between_commas(text: &str) -> Result<(), Reason> {
    match text.trim_start().chars().next() {
        Some('[') => Err(Reason::LooksJson),
        Some('{' | '(') => Err(Reason::LooksArray),
        _ if !text.contains(',') && text.trim().contains([';', '|', '\t', '\n']) => {
            Err(Reason::OtherMarks)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_day_is_the_day_that_postgresql_would_store() {
        for (text, day) in [
            ("1970-01-01", Some(0)),
            ("0001-01-01", Some(*DAYS.start())),
            ("9999-12-31", Some(*DAYS.end())),
            ("2024-02-29", Some(19_782)),
            ("2023-02-29", None),
            ("2020-1-1", None),
            ("0000-01-01", None),
            ("10000-01-01", None),
            ("+2020-01-01", None),
            ("infinity", None),
            (" 2020-01-01", None),
        ] {
            assert_eq!(written_day(text), day, "{text}");
        }
    }

    #[test]
    fn a_text_that_may_be_read_otherwise_is_not_guessed_to_stand_between_commas() {
        for (text, reason) in [
            (" [\"a\"]", Reason::LooksJson),
            ("{sword,bow}", Reason::LooksArray),
            (" (sword,bow)", Reason::LooksArray),
            ("y;z", Reason::OtherMarks),
            ("y|z", Reason::OtherMarks),
            ("y\nz", Reason::OtherMarks),
        ] {
            assert_eq!(looks_between_commas(text), Err(reason), "{text}");
        }
        for text in ["", "sword", "sword, bow; long", "two\n,lines", "bow\n"] {
            assert_eq!(looks_between_commas(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn an_id_is_a_uuid_with_hyphens_or_without() {
        assert!(uuid("6F9619FF-8B86-D011-B42D-00CF4FC964FF").is_some());
        assert!(uuid("6f9619ff8b86d011b42d00cf4fc964ff").is_some());
        for text in ["", "7", "urn:uuid:6f9619ff-8b86-d011-b42d-00cf4fc964ff"] {
            assert!(uuid(text).is_none(), "{text}");
        }
    }
}
