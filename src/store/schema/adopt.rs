//! Adopting a table `warrior` that was there before, rows and all.

use std::time::{Duration, Instant};

use postgres::Client;

use super::error::{Doing, SchemaError};
use super::locks::locked;
use super::others;

/// The columns that a table needs: name, type, and whether NULL is refused. An adopted `created_at`
/// may still allow it.
const COLUMNS: [(&str, &str, bool); 5] = [
    ("id", "uuid", true),
    ("name", "character varying(100)", true),
    ("dob", "date", true),
    ("fight_skills", "text[]", true),
    ("created_at", "timestamp with time zone", false),
];

const CHECK: &str = include_str!("../sql/schema/created_at_check.sql");
const VALIDATE: &str = include_str!("../sql/schema/created_at_validate.sql");
const NOT_NULL: &str = include_str!("../sql/schema/created_at_not_null.sql");

/// What an adopted table gets beside the migrations, each with its title, for review.
pub(super) const STEPS: [(&str, &str); 3] = [
    (
        "only if created_at allows NULL, and no row lacks it: check new rows",
        CHECK,
    ),
    ("the same: check old rows", VALIDATE),
    ("the same: not null", NOT_NULL),
];

/// A column as it is.
struct Column {
    name: String,
    type_name: String,
    not_null: bool,
    has_default: bool,
    plain_collation: bool,
}

/// Whether a table is there. If it is, it has been found to be one that can be adopted.
///
/// # Errors
/// [`SchemaError::Shape`] with every difference, [`SchemaError::NotOwner`].
pub(super) fn inspect(client: &mut Client) -> Result<bool, SchemaError> {
    let doing = "looking at the table public.warrior";
    let table = client
        .query_opt(include_str!("../sql/schema/table.sql"), &[])
        .doing(doing)?;
    let Some(table) = table else {
        return Ok(false);
    };
    let rows = client
        .query(include_str!("../sql/schema/columns.sql"), &[])
        .doing(doing)?;
    let columns: Vec<Column> = rows.iter().map(column).collect();
    let mut wrong = Vec::new();
    if table.get::<_, &str>("kind") != "r" {
        wrong.push("it is not a plain table".to_owned());
    }
    wrong.extend(
        COLUMNS
            .iter()
            .filter_map(|wanted| differs(&columns, wanted)),
    );
    wrong.extend(columns.iter().filter_map(unknown));
    if wrong.is_empty() && !table.get::<_, bool>("id_unique") {
        wrong.push("id has no primary key or unique index of its own".to_owned());
    }
    if !wrong.is_empty() {
        return Err(SchemaError::Shape(wrong));
    }
    let found = others::look(client)?;
    let obstacles = [found.namesakes, found.obstacles].concat();
    if !obstacles.is_empty() {
        return Err(SchemaError::Obstacles(obstacles));
    }
    if !table.get::<_, bool>("owned") {
        let sql = include_str!("../sql/schema/whoami.sql");
        let me = client.query_one(sql, &[]).doing(doing)?;
        return Err(SchemaError::NotOwner {
            owner: table.get("owner"),
            user: me.get(0),
            dbname: me.get(1),
        });
    }
    Ok(true)
}

/// Makes `created_at` refuse NULL without reading the table under a lock. Gives the longest time that
/// writers may have been locked out, and a note if rows without `created_at` stand in the way.
pub(super) fn require_created_at(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
) -> Result<(Duration, Option<String>), SchemaError> {
    let rows = client
        .query(include_str!("../sql/schema/columns.sql"), &[])
        .doing("reading the columns of public.warrior")?;
    if rows
        .iter()
        .map(column)
        .any(|c| c.name == "created_at" && c.not_null)
    {
        return Ok((Duration::ZERO, None));
    }
    let mut held = Duration::ZERO;
    let mut step = |client: &mut Client, progress: &mut dyn FnMut(String), sql: &str| {
        let run = |client: &mut Client| {
            client
                .batch_execute(sql)
                .doing("making created_at not null")
        };
        let took = locked(client, progress, run)?;
        held = held.max(took);
        Ok::<(), SchemaError>(())
    };
    let nulls: i64 = client
        .query_one(include_str!("../sql/schema/created_at_nulls.sql"), &[])
        .doing("counting rows without created_at")?
        .get(0);
    if nulls > 0 {
        let note = format!(
            "{nulls} warriors have no created_at and are served with null; to have none, run: update \
             public.warrior set created_at = now() where created_at is null; and `warrior-api schema \
             apply` again"
        );
        return Ok((held, Some(note)));
    }
    step(client, progress, CHECK)?;
    let started = Instant::now();
    client
        .batch_execute(VALIDATE)
        .doing("checking created_at")?;
    progress(format!("checked created_at in {:?}", started.elapsed()));
    step(client, progress, NOT_NULL)?;
    Ok((held, None))
}

fn column(row: &postgres::Row) -> Column {
    Column {
        name: row.get("name"),
        type_name: row.get("type"),
        not_null: row.get("not_null"),
        has_default: row.get("has_default"),
        plain_collation: row.get("plain_collation"),
    }
}

fn differs(columns: &[Column], wanted: &(&str, &str, bool)) -> Option<String> {
    let (name, type_name, not_null) = *wanted;
    let Some(column) = columns.iter().find(|c| c.name == name) else {
        return Some(format!("column {name} is missing"));
    };
    if column.type_name != type_name {
        return Some(format!(
            "column {name} is {}, not {type_name}",
            column.type_name
        ));
    }
    if not_null && !column.not_null {
        return Some(format!("column {name} allows NULL"));
    }
    if !column.plain_collation {
        return Some(format!("column {name} has a collation of its own"));
    }
    if name == "created_at" && !column.has_default {
        return Some("column created_at has no default".to_owned());
    }
    None
}

/// A column of somebody else's is no obstacle as long as an insert may leave it out.
fn unknown(column: &Column) -> Option<String> {
    let ours = COLUMNS.iter().any(|(name, ..)| *name == column.name);
    let required = column.not_null && !column.has_default;
    (!ours && required).then(|| {
        format!(
            "column {} is unknown to the API and refuses NULL without a default",
            column.name
        )
    })
}
