//! Rows into the table of a file: gathered into Arrow lists, and inserted by one statement for some thousands of them, in a
//! transaction that its owner ends.

use std::sync::Arc;

use uuid::Uuid;
use warrior_duckdb::Connection;
use warrior_duckdb::arrow_array::builder::{
    Date32Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder,
};
use warrior_duckdb::arrow_array::{ArrayRef, RecordBatch};

use super::error::{Doing, MigrateError};
use super::row::canonical::{Canonical, Texts};
use super::source::Source;
use super::source::insert::{Insert, Time};
use crate::config::SkillsText;

/// Rows of one statement: enough that planning costs nothing.
const ROWS_MAX: usize = 8192;
/// Bytes of the texts of one statement, in UTF-8, which DuckDB holds once more: eight thousand of the largest rows that the
/// contract allows would be 160 MB.
const BYTES_MAX: usize = 4 << 20;
const WRITING: &str = "writing the file, of which nothing new is kept";

/// Adds rows within one transaction.
pub(super) struct Writer {
    connection: Connection,
    insert: Insert,
    ids: ListBuilder<StringBuilder>,
    names: ListBuilder<StringBuilder>,
    dobs: ListBuilder<Date32Builder>,
    lists: ListBuilder<ListBuilder<StringBuilder>>,
    texts: ListBuilder<StringBuilder>,
    times: ListBuilder<TimestampMicrosecondBuilder>,
    waiting: usize,
    waiting_bytes: usize,
    written: u64,
}

impl Writer {
    /// Begins the transaction.
    pub(super) fn begin(mut connection: Connection, source: &Source) -> Result<Self, MigrateError> {
        connection.run("begin transaction").doing(WRITING)?;
        let insert = source.insert();
        let time = match insert.created_at {
            Some(Time::Utc) => TimestampMicrosecondBuilder::new(),
            _ => TimestampMicrosecondBuilder::new().with_timezone("UTC"),
        };
        Ok(Self {
            connection,
            insert,
            ids: ListBuilder::new(StringBuilder::new()),
            names: ListBuilder::new(StringBuilder::new()),
            dobs: ListBuilder::new(Date32Builder::new()),
            lists: ListBuilder::new(ListBuilder::new(StringBuilder::new())),
            texts: ListBuilder::new(StringBuilder::new()),
            times: ListBuilder::new(time),
            waiting: 0,
            waiting_bytes: 0,
            written: 0,
        })
    }

    /// Adds a row of PostgreSQL.
    ///
    /// # Errors
    /// When DuckDB, or the shape of the table, cannot hold it.
    pub(super) fn add(&mut self, row: &Canonical<'_>) -> Result<(), MigrateError> {
        let no = |column, why| unwritable(row.id, column, why);
        let dob = row.dob.as_ref().ok().and_then(|day| date(*day));
        let dob = dob.ok_or_else(|| no("dob", "DuckDB has no such day"))?;
        let skills = (row.fight_skills.as_ref()).map_err(|other| {
            let why = match other {
                None => "it is NULL",
                Some(_) => "it is an array of several dimensions",
            };
            no("fight_skills", why)
        })?;
        match self.insert.skills {
            None => {
                let list = self.lists.values();
                list.values().extend(skills.iter().map(Option::as_deref));
                list.append(true);
            }
            Some(written) => {
                let text =
                    written_skills(skills, written).map_err(|why| no("fight_skills", why))?;
                self.texts.values().append_value(text);
            }
        }
        let time = row.created_at.map(|time| {
            microseconds(time).ok_or_else(|| no("created_at", "DuckDB has no such time"))
        });
        self.times.values().append_option(time.transpose()?);
        self.ids.values().append_value(row.id.to_string());
        self.names.values().append_option(row.name.as_deref());
        self.dobs.values().append_value(dob);
        self.waiting += 1;
        let texts = skills.iter().chain([&row.name]).flatten();
        self.waiting_bytes += texts.map(|text| text.len()).sum::<usize>();
        match self.waiting < ROWS_MAX && self.waiting_bytes < BYTES_MAX {
            true => Ok(()),
            false => self.flush(),
        }
    }

    /// Inserts what waits.
    pub(super) fn flush(&mut self) -> Result<(), MigrateError> {
        if self.waiting == 0 {
            return Ok(());
        }
        let skills: ArrayRef = match self.insert.skills {
            None => {
                self.lists.append(true);
                Arc::new(self.lists.finish())
            }
            Some(_) => {
                self.texts.append(true);
                Arc::new(self.texts.finish())
            }
        };
        self.ids.append(true);
        self.names.append(true);
        self.dobs.append(true);
        self.times.append(true);
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("1", Arc::new(self.ids.finish())),
            ("2", Arc::new(self.names.finish())),
            ("3", Arc::new(self.dobs.finish())),
            ("4", skills),
        ];
        let times: ArrayRef = Arc::new(self.times.finish());
        if self.insert.created_at.is_some() {
            columns.push(("5", times));
        }
        let parameters = RecordBatch::try_from_iter(columns)
            .map_err(|e| MigrateError::Shape(format!("{WRITING}: {e}")))?;
        let done = self
            .connection
            .query_with(&self.insert.sql, Some(parameters));
        done.and_then(|mut rows| rows.try_for_each(|batch| batch.map(drop)))
            .doing(WRITING)?;
        self.written += self.waiting as u64;
        (self.waiting, self.waiting_bytes) = (0, 0);
        Ok(())
    }

    /// Commits what was added, runs `statements`, and begins another transaction.
    pub(super) fn commit_and_run(&mut self, statements: &[&str]) -> Result<(), MigrateError> {
        self.flush()?;
        (["commit"].iter().chain(statements))
            .chain(&["begin transaction"])
            .try_for_each(|sql| self.connection.run(sql))
            .doing(WRITING)
    }

    /// The connection, which sees what was written.
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Commits, and gives the number of rows. A writer that is dropped instead takes its rows back.
    pub(super) fn commit(mut self) -> Result<(Connection, u64), MigrateError> {
        self.connection.run("commit").doing(WRITING)?;
        Ok((self.connection, self.written))
    }
}

fn unwritable(id: Uuid, column: &str, why: &str) -> MigrateError {
    MigrateError::Shape(format!(
        "the {column} of warrior {id} cannot be written to this file: {why}; nothing was written. Change or delete that \
         warrior; what only --add cannot write, an export into a new file can"
    ))
}

fn date(day: i64) -> Option<i32> {
    match day {
        i64::MAX => Some(i32::MAX),
        i64::MIN => Some(-i32::MAX),
        day => day.try_into().ok(),
    }
}

fn microseconds(time: i128) -> Option<i64> {
    match time {
        i128::MAX => Some(i64::MAX),
        i128::MIN => Some(-i64::MAX),
        time => time.try_into().ok(),
    }
}

/// Skills as a text, from which the same skills are read again.
fn written_skills(skills: &Texts<'_>, written: SkillsText) -> Result<String, &'static str> {
    let comma = |skill: &str| skill.contains(',') || skill.trim() != skill;
    match written {
        SkillsText::Json => serde_json::to_string(skills).map_err(|_| "it makes no JSON"),
        SkillsText::Comma
            if skills
                .iter()
                .any(|skill| skill.as_deref().is_none_or(comma)) =>
        {
            Err(
                "its skills stand between commas there, and one of these has a comma in it, space around it, or is NULL",
            )
        }
        SkillsText::Comma if skills.len() == 1 && skills[0].as_deref() == Some("") => {
            Err("its skills stand between commas there, and its only one is empty")
        }
        SkillsText::Comma => Ok(skills
            .iter()
            .map(|skill| skill.as_deref().unwrap_or_default())
            .collect::<Vec<_>>()
            .join(",")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skills_are_written_so_that_they_are_read_again_or_refused() {
        let list = |texts: &[&'static str]| -> Texts<'static> {
            texts.iter().map(|text| Some((*text).into())).collect()
        };
        let comma = |texts: &[&'static str]| written_skills(&list(texts), SkillsText::Comma).ok();
        assert_eq!(comma(&["a b", "c"]).as_deref(), Some("a b,c"));
        assert_eq!(comma(&["", "c"]).as_deref(), Some(",c"));
        assert_eq!(comma(&[]).as_deref(), Some(""));
        for refused in [&["a,b"][..], &[" a"], &[""]] {
            assert_eq!(comma(refused), None, "{refused:?}");
        }
        assert!(written_skills(&vec![None], SkillsText::Comma).is_err());
        let json = written_skills(&vec![Some("a\"\u{1f600}".into()), None], SkillsText::Json);
        assert_eq!(json.as_deref(), Ok("[\"a\\\"\u{1f600}\",null]"));
    }

    #[test]
    fn days_and_times_beyond_duckdbs_are_refused() {
        assert_eq!(
            (date(i64::MAX), date(i64::MIN), date(1)),
            (Some(i32::MAX), Some(-i32::MAX), Some(1))
        );
        assert_eq!(date(i64::from(i32::MAX) + 1), None);
        assert_eq!(microseconds(i128::MIN), Some(-i64::MAX));
        assert_eq!(microseconds(i128::from(i64::MAX) + 1), None);
    }
}
