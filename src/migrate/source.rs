//! Source discovery: the table of a file, the types of its columns, and one SELECT that gives its rows in canonical columns
//! whatever these types are.
//!
//! The statement is made of the names that the file has, quoted; nothing else of it varies but one expression for each
//! type that the old service used.

mod by_id;
mod clock_changes;
pub(super) mod insert;
mod reading;

use std::sync::Arc;

use uuid::Uuid;
use warrior_duckdb::arrow_array::cast::AsArray;
use warrior_duckdb::{Connection, Rows};

pub use clock_changes::ClockChanges;

use super::error::{Doing, MigrateError};
use crate::config::{SkillsText, SourceArgs};

/// The table of warriors in a file.
#[derive(Clone, Debug)]
pub struct Source {
    /// As it is quoted in SQL: `"main"."warrior"`.
    table: String,
    id: Column,
    name: Column,
    dob: Column,
    skills: Column,
    created_at: Option<Column>,
    /// How skills are written; none: as a list.
    pub(super) skills_text: Option<SkillsText>,
    /// Whether that was guessed from the values.
    pub(super) guessed: bool,
    /// The zone of `created_at`, where it has none of its own.
    time_zone: Option<String>,
    /// Whether a constraint keeps ids apart.
    unique: bool,
    /// The ids that stand more than once, ascending. They are looked up here: a join would be DuckDB's to order, and to
    /// spill.
    pub(super) repeated: Arc<[Uuid]>,
}

#[derive(Clone, Debug)]
struct Column {
    /// As it is quoted in SQL.
    quoted: String,
    /// DuckDB's name of the type.
    kind: String,
}

/// What the rows are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they stand: nothing is sorted.
    Position,
    /// By id, as PostgreSQL orders `uuid`; ids that are none come last. DuckDB sorts through temporary files.
    Id,
}

/// Times that are converted from a zone: no zone moves one of the others into the years of the contract, and DuckDB cannot
/// convert the farthest.
const CONVERTED: &str = "timestamp '0001-12-01 (BC)' and timestamp '10000-02-01'";

/// The zone of times without one, where none is named.
const UTC: &str = "UTC";
/// The tables and views of a file, its temporary ones excepted.
const TABLES: &str = include_str!("sql/duckdb/tables.sql");
const COLUMNS: &str = include_str!("sql/duckdb/columns.sql");
const CATALOG: &str = "reading the catalog of the file";
/// DuckDB's name of the type of an instant.
const ZONED: &str = "TIMESTAMP WITH TIME ZONE";
const UNIQUE: &str = include_str!("sql/duckdb/unique.sql");

impl Source {
    /// Finds the table, its columns, and the ids that stand more than once.
    ///
    /// # Errors
    /// When a table or a column is missing, or has a type that is none of the old service's; each names what there is.
    pub fn find(connection: &mut Connection, args: &SourceArgs) -> Result<Self, MigrateError> {
        let tables = connection.texts(TABLES).doing(CATALOG)?;
        let wanted = args.table.to_lowercase();
        let matches = |row: &&Vec<String>| {
            let (schema, name) = (row[0].to_lowercase(), row[1].to_lowercase());
            wanted == format!("{schema}.{name}") || (wanted == name && schema == "main")
        };
        let Some(table) = tables.iter().find(matches) else {
            return Err(no_table(args, &tables));
        };
        if table[2] == "view" {
            return Err(MigrateError::Shape(format!(
                "{} is a view, whose rows have no place in the file that an import could go by; make a table of it (create \
                 table copy as select * from {}) and name that with --table copy",
                args.table,
                quoted(&table[1])
            )));
        }
        let columns: Vec<Vec<String>> = (connection.texts(COLUMNS).doing(CATALOG)?)
            .into_iter()
            .filter(|row| row[..2] == table[..2])
            .collect();
        if columns
            .iter()
            .any(|row| row[2].eq_ignore_ascii_case("rowid"))
        {
            return Err(MigrateError::Shape(format!(
                "the table {} has a column of its own named rowid, which hides the place of a row that an import goes by; \
                 make a copy of the table without it (create table copy as select * exclude (rowid) from ...) and name it \
                 with --table",
                args.table
            )));
        }
        let column = |name| column(&columns, args, name);
        let mut source = Self {
            table: format!("{}.{}", quoted(&table[0]), quoted(&table[1])),
            id: column("id")?.ok_or_else(|| no_column(args, &columns, "id"))?,
            name: column("name")?.ok_or_else(|| no_column(args, &columns, "name"))?,
            dob: column("dob")?.ok_or_else(|| no_column(args, &columns, "dob"))?,
            skills: (column("fight_skills")?)
                .ok_or_else(|| no_column(args, &columns, "fight_skills"))?,
            created_at: column("created_at")?,
            skills_text: None,
            guessed: false,
            time_zone: None,
            unique: false,
            repeated: Arc::default(),
        };
        source.check_types()?;
        source.check_flags(args)?;
        source.skills_text = source.form_of_skills(connection, args)?;
        source.guessed = source.skills.kind == "VARCHAR" && args.skills.is_none();
        source.time_zone = source.zone(connection, args)?;
        let id = source.id.quoted.trim_matches('"').to_owned();
        source.unique = source.id.kind == "UUID"
            && (connection.texts(UNIQUE).doing(CATALOG)?)
                .iter()
                .any(|row| row[..2] == table[..2] && row[2] == id);
        source.repeated = source.find_repeated(connection)?;
        Ok(source)
    }

    /// The rows with the canonical columns, to be read with [`Batch`](super::row::Batch): position (`BIGINT`), id
    /// (`VARCHAR`), name (`VARCHAR`), dob (`DATE` or `VARCHAR`), fight_skills (`VARCHAR[]`, or `VARCHAR` of JSON or commas),
    /// created_at (`TIMESTAMP` in UTC or `TIMESTAMPTZ`; absent where the file has none).
    /// Those after `position` alone, where it is given.
    ///
    /// # Errors
    /// DuckDB's.
    pub fn rows(
        &self,
        connection: &mut Connection,
        order: Order,
        after: Option<i64>,
    ) -> Result<Rows, MigrateError> {
        let sql = self.select(order, after);
        connection.query(&sql).doing("reading the file")
    }

    /// The number of rows.
    ///
    /// # Errors
    /// DuckDB's.
    pub fn count(&self, connection: &mut Connection) -> Result<u64, MigrateError> {
        let sql = format!("select count(*) from {}", self.table);
        let count = connection.number(&sql).doing("counting the rows")?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Whether the file says when each warrior was made.
    pub fn has_created_at(&self) -> bool {
        self.created_at.is_some()
    }

    /// Whether the file's times are without a zone, and none but UTC was named for them.
    pub fn is_taken_as_utc(&self) -> bool {
        self.time_zone.as_deref() == Some(UTC)
    }

    /// Table and types, for the user to see what was found, and what a file without `created_at` means: `without`.
    pub fn described(&self, without: &str) -> String {
        let mut columns = vec![
            format!("id {}", self.id.kind),
            format!("name {}", self.name.kind),
            format!("dob {}", self.dob.kind),
        ];
        columns.push(match self.skills_text {
            None => format!("fight_skills {}", self.skills.kind),
            Some(SkillsText::Json) => format!("fight_skills {} (JSON)", self.skills.kind),
            Some(SkillsText::Comma) => {
                format!("fight_skills {} (separated by commas)", self.skills.kind)
            }
        });
        columns.push(match (&self.created_at, &self.time_zone) {
            (None, _) => format!("no created_at: {without}"),
            (Some(column), None) => format!("created_at {}", column.kind),
            (Some(column), Some(zone)) => format!("created_at {} (taken as {zone})", column.kind),
        });
        format!("{} ({})", self.table.replace('"', ""), columns.join(", "))
    }

    /// The statement of [`Self::rows`]: a hash of it stands for the way in which the file is read.
    pub(super) fn select(&self, order: Order, after: Option<i64>) -> String {
        let id = &self.id.quoted;
        let skills = match self.skills_text {
            None => format!("{}::varchar[]", self.skills.quoted),
            Some(_) => format!("{}::varchar", self.skills.quoted),
        };
        let created_at = match (&self.created_at, &self.time_zone) {
            (None, _) => "null::timestamp".to_owned(),
            (Some(column), None) => column.quoted.clone(),
            (Some(column), Some(zone)) if zone == UTC => format!("{}::timestamp", column.quoted),
            (Some(column), Some(zone)) => {
                let (zone, time) = (literal(zone), format!("{}::timestamp", column.quoted));
                format!(
                    "case when {time} between {CONVERTED} then timezone('UTC', timezone({zone}, {time})) else {time} end"
                )
            }
        };
        let after = after.map_or_else(String::new, |after| format!(" where rowid > {after}"));
        let order = match order {
            Order::Position => String::new(),
            Order::Id => format!(" order by try_cast({id} as uuid) nulls last, rowid"),
        };
        format!(
            "select rowid as position, {id}::varchar as id, {name}::varchar as name, {dob} as dob, {skills} as \
             fight_skills, {created_at} as created_at from {table}{after}{order}",
            name = self.name.quoted,
            dob = self.dob.quoted,
            table = self.table,
        )
    }

    fn check_types(&self) -> Result<(), MigrateError> {
        let wrong = |column: &str, kind: &str, right: &str| {
            MigrateError::Shape(format!(
                "the column {column} of {} is {kind}, and {right} can be read; make a copy of the table with another type \
                 (create table copy as select ...) and name it with --table",
                self.table
            ))
        };
        let list = is_list_of_texts(&self.skills.kind);
        for (column, found, right) in [
            ("id", &self.id, &["UUID", "VARCHAR"][..]),
            ("name", &self.name, &["VARCHAR"]),
            ("dob", &self.dob, &["DATE", "VARCHAR"]),
            (
                "fight_skills",
                &self.skills,
                &["VARCHAR[]", "JSON", "VARCHAR"],
            ),
        ] {
            let fits = right.contains(&found.kind.as_str()) || column == "fight_skills" && list;
            if !fits {
                return Err(wrong(column, &found.kind, &right.join(" or ")));
            }
        }
        let right = [ZONED, "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS"];
        match &self.created_at {
            Some(found) if !right.contains(&found.kind.as_str()) => Err(wrong(
                "created_at",
                &found.kind,
                "TIMESTAMP or TIMESTAMP WITH TIME ZONE (up to microseconds)",
            )),
            _ => Ok(()),
        }
    }

    /// The ids that stand more than once: 16 bytes for each.
    fn find_repeated(&self, connection: &mut Connection) -> Result<Arc<[Uuid]>, MigrateError> {
        if self.unique {
            return Ok(Arc::default());
        }
        let sql = format!(
            "select try_cast({0} as uuid)::varchar as id from {1} where {0} is not null group by all having count(*) > 1 \
             and id is not null",
            self.id.quoted, self.table
        );
        let doing = "looking for ids that stand more than once";
        let mut found = Vec::new();
        for batch in connection.query(&sql).doing(doing)? {
            let batch = batch.doing(doing)?;
            let ids = batch.column(0).as_string_opt::<i32>();
            let ids = ids.into_iter().flatten().flatten();
            found.extend(ids.filter_map(|id| Uuid::try_parse(id).ok()));
        }
        found.sort_unstable();
        Ok(found.into())
    }
}

/// Lists of any length, or of a fixed one; not lists of lists.
fn is_list_of_texts(kind: &str) -> bool {
    let length = kind
        .strip_prefix("VARCHAR[")
        .and_then(|rest| rest.strip_suffix(']'));
    length.is_some_and(|length| length.bytes().all(|byte| byte.is_ascii_digit()))
}

/// An identifier within double quotes, as both databases have it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text within single quotes.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn column(
    columns: &[Vec<String>],
    args: &SourceArgs,
    column: &'static str,
) -> Result<Option<Column>, MigrateError> {
    let Some(name) = args.name_of(column) else {
        return Ok(None);
    };
    let found = columns.iter().find(|row| row[2].eq_ignore_ascii_case(name));
    // The old service had tables without created_at; a name that was given is there, or mistaken.
    if found.is_none() && (column != "created_at" || name != column) {
        return Err(no_column(args, columns, column));
    }
    Ok(found.map(|row| Column {
        quoted: quoted(&row[2]),
        kind: row[3].clone(),
    }))
}

fn no_table(args: &SourceArgs, tables: &[Vec<String>]) -> MigrateError {
    let names = tables.iter().filter(|row| row[2] == "table");
    let names: Vec<String> = names.map(|row| row[..2].join(".")).collect();
    MigrateError::Shape(match names.is_empty() {
        true => format!(
            "{} has no table at all; check the path",
            args.file.display()
        ),
        false => format!(
            "{} has no table {}; it has {}: name the one of the warriors with --table",
            args.file.display(),
            args.table,
            names.join(", ")
        ),
    })
}

fn no_column(args: &SourceArgs, columns: &[Vec<String>], column: &str) -> MigrateError {
    let names: Vec<&str> = columns.iter().map(|row| row[2].as_str()).collect();
    MigrateError::Shape(format!(
        "the table {} has no column {}; it has {}: say which one holds it with --map {column}=...",
        args.table,
        args.name_of(column).unwrap_or(column),
        names.join(", ")
    ))
}
