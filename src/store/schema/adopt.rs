//! Schema adoption (a baseline migration): a table `warrior` that was there before, rows and all.

use std::time::{Duration, Instant};

use postgres::Client;

use super::error::{Doing, SchemaError};
use super::locks::{self, locked};
use super::others;
use super::shape::{self, ADOPTED};

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

/// Whether a table is there. A table that is there was found to have an owner and additions that the schema can work with,
/// and the columns of an adopted table where none of our files has run (`applied` is their number). Elsewhere a pending
/// file may still change the columns: see [`shape::check`].
///
/// # Errors
/// [`SchemaError::Shape`] with every difference, [`SchemaError::Obstacles`], [`SchemaError::NotOwner`].
pub(super) fn inspect(client: &mut Client, applied: usize) -> Result<bool, SchemaError> {
    let Some(table) = shape::look(client)? else {
        return Ok(false);
    };
    if applied == 0 {
        let wrong = table.differences(&ADOPTED);
        if !wrong.is_empty() {
            return Err(SchemaError::Shape(wrong));
        }
    }
    let obstacles = others::look(client)?.obstacles;
    if !obstacles.is_empty() {
        return Err(SchemaError::Obstacles(obstacles));
    }
    if !table.owned {
        let sql = include_str!("../sql/schema/whoami.sql");
        let me = client
            .query_one(sql, &[])
            .doing("asking for the names of role and database")?;
        return Err(SchemaError::NotOwner {
            owner: table.owner,
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
    let table = shape::look(client)?;
    if table.is_none_or(|table| table.refuses_null("created_at")) {
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
    // Validation takes SHARE UPDATE EXCLUSIVE, which no writer queues behind.
    locks::set_lock_timeout(client, Duration::ZERO)?;
    let awaited = locks::awaited(client)?;
    progress(format!("checking created_at{awaited}"));
    let started = Instant::now();
    client
        .batch_execute(VALIDATE)
        .doing("checking created_at")?;
    progress(format!("checked created_at in {:?}", started.elapsed()));
    step(client, progress, NOT_NULL)?;
    Ok((held, None))
}
