//! Adopting a table `warrior` that was there before, rows and all.

use std::time::{Duration, Instant};

use postgres::Client;

use super::error::{Doing, SchemaError};
use super::locks::locked;
use super::others;

/// A column: name, type, and whether NULL is refused.
type Wanted = (&'static str, &'static str, bool);

/// The columns of an adopted table, as `schema/tables/V1__warrior.sql` would have made them. Its `created_at` may still
/// allow NULL.
const ADOPTED: [Wanted; 5] = [
    ("id", "uuid", true),
    ("name", "character varying(100)", true),
    ("dob", "date", true),
    ("fight_skills", "text[]", true),
    ("created_at", "timestamp with time zone", false),
];

/// The columns that serving needs, once every file of `schema/tables` has run. A list of its own from the first file that
/// changes a column: an adopted table is older than that file, and is changed by it.
const SERVED: [Wanted; 5] = ADOPTED;

const LOOKING: &str = "looking at the table public.warrior";
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

/// The state of the table, as the catalog describes it.
struct Table {
    row: postgres::Row,
    columns: Vec<Column>,
}

/// Whether a table is there, and one beside whose owner and additions the schema can work. One that no file of ours
/// (`applied` is their number) has touched must also have the columns of an adopted table. The columns of any other may
/// still be changed by a file that has not run: see [`check_served`].
///
/// # Errors
/// [`SchemaError::Shape`] with every difference, [`SchemaError::Obstacles`], [`SchemaError::NotOwner`].
pub(super) fn inspect(client: &mut Client, applied: usize) -> Result<bool, SchemaError> {
    let Some(table) = look(client)? else {
        return Ok(false);
    };
    if applied == 0 {
        let wrong = table.differences(&ADOPTED);
        if !wrong.is_empty() {
            return Err(SchemaError::Shape(wrong));
        }
    }
    let found = others::look(client)?;
    let obstacles = [found.namesakes, found.obstacles].concat();
    if !obstacles.is_empty() {
        return Err(SchemaError::Obstacles(obstacles));
    }
    if !table.row.get::<_, bool>("owned") {
        let sql = include_str!("../sql/schema/whoami.sql");
        let me = client.query_one(sql, &[]).doing(LOOKING)?;
        return Err(SchemaError::NotOwner {
            owner: table.row.get("owner"),
            user: me.get(0),
            dbname: me.get(1),
        });
    }
    Ok(true)
}

/// Drift detection for the columns, once every file of `schema/tables` has run: a table of ours may have been changed
/// since.
///
/// # Errors
/// [`SchemaError::Reshaped`] with every difference.
pub(super) fn check_served(client: &mut Client) -> Result<(), SchemaError> {
    let wrong = match look(client)? {
        Some(table) => table.differences(&SERVED),
        None => vec!["it is gone".to_owned()],
    };
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(SchemaError::Reshaped(wrong)),
    }
}

fn look(client: &mut Client) -> Result<Option<Table>, SchemaError> {
    let row = client
        .query_opt(include_str!("../sql/schema/table.sql"), &[])
        .doing(LOOKING)?;
    let Some(row) = row else {
        return Ok(None);
    };
    let columns = client
        .query(include_str!("../sql/schema/columns.sql"), &[])
        .doing(LOOKING)?;
    let columns = columns.iter().map(column).collect();
    Ok(Some(Table { row, columns }))
}

impl Table {
    /// What keeps the table from having these columns, each as a clause.
    fn differences(&self, wanted: &[Wanted]) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.row.get::<_, &str>("kind") != "r" {
            wrong.push("it is not a plain table".to_owned());
        }
        wrong.extend(differences(&self.columns, wanted));
        if wrong.is_empty() && !self.row.get::<_, bool>("id_unique") {
            wrong.push("id has no primary key or unique index of its own".to_owned());
        }
        wrong
    }
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

fn differences(columns: &[Column], wanted: &[Wanted]) -> Vec<String> {
    let differing = wanted.iter().filter_map(|wanted| differs(columns, wanted));
    let strangers = columns.iter().filter(|column| {
        // A column of others is no obstacle as long as an insert may leave it out.
        let known = wanted.iter().any(|(name, ..)| *name == column.name);
        !known && column.not_null && !column.has_default
    });
    let refused = strangers.map(|column| {
        format!(
            "column {} is unknown to the API and refuses NULL without a default",
            column.name
        )
    });
    differing.chain(refused).collect()
}

fn differs(columns: &[Column], wanted: &Wanted) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn made(wanted: &[Wanted]) -> Vec<Column> {
        let column = |(name, type_name, not_null): &Wanted| Column {
            name: (*name).to_owned(),
            type_name: (*type_name).to_owned(),
            not_null: *not_null,
            has_default: *name == "created_at",
            plain_collation: true,
        };
        wanted.iter().map(column).collect()
    }

    /// A shape that later files would leave: a column more, and one that allows NULL.
    #[test]
    fn a_table_has_the_shape_of_its_time() {
        let mut later = ADOPTED.to_vec();
        later.push(("rank", "integer", false));
        later[2].2 = false;
        assert_eq!(differences(&made(&later), &later), [""; 0]);
        assert_eq!(differences(&made(&ADOPTED), &ADOPTED), [""; 0]);
        assert_eq!(
            differences(&made(&ADOPTED), &later),
            ["column rank is missing"]
        );
        assert_eq!(
            differences(&made(&later), &ADOPTED),
            ["column dob allows NULL"]
        );
    }
}
