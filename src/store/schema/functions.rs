//! Functions are source, not history: those of `schema/functions` are created again, all in one transaction, whenever the
//! digest of their text differs from the one that the database holds.
//!
//! `create or replace` keeps a function's identity, so that statements which run meanwhile go on, old or new. It refuses
//! another declaration (parameters, result), so a function of ours that is declared otherwise now, or no longer at all, is
//! dropped first, without `cascade`: what depends on it is named by PostgreSQL's error, and stays.

use std::time::Instant;

use postgres::Client;
use sha2::{Digest, Sha256};

use super::error::{Doing, SchemaError};
use super::record::{self, Record};
use super::roles::GRANTS;

/// Drops the functions that were handed over, for review.
pub(super) const DROP: &str = include_str!("../sql/schema/drop_functions.sql");

/// A file of functions.
pub(super) struct File {
    pub(super) path: &'static str,
    pub(super) sql: &'static str,
}

macro_rules! file {
    ($path:literal) => {
        File {
            path: $path,
            sql: include_str!(concat!("../../../", $path)),
        }
    };
}

/// In the order in which they are run, and best read.
pub(super) const FILES: [File; 12] = [
    file!("schema/functions/count.sql"),
    file!("schema/functions/lists.sql"),
    file!("schema/functions/triggers.sql"),
    file!("schema/functions/others.sql"),
    file!("schema/functions/recount.sql"),
    file!("schema/functions/drift.sql"),
    file!("schema/functions/flush.sql"),
    file!("schema/functions/search/text.sql"),
    file!("schema/functions/search/names.sql"),
    file!("schema/functions/search/dates.sql"),
    file!("schema/functions/search/skills.sql"),
    file!("schema/functions/search/search.sql"),
];

/// Creates the functions again unless the database has them already, and says whether that was done.
pub(super) fn replace(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
    recorded: Option<&Record>,
) -> Result<bool, SchemaError> {
    if are_current(recorded) {
        return Ok(false);
    }
    let started = Instant::now();
    let declared: Vec<String> = FILES
        .iter()
        .flat_map(|file| declarations(file.sql))
        .collect();
    let stale = stale(recorded, &declared);
    let doing = "creating the functions";
    let mut transaction = client.transaction().doing(doing)?;
    transaction.batch_execute(record::CREATE).doing(doing)?;
    if !stale.is_empty() {
        let doing = format!("dropping the functions {}", stale.join(", "));
        transaction
            .query(
                include_str!("../sql/schema/hand_over_functions.sql"),
                &[&stale],
            )
            .doing(&doing)?;
        transaction.batch_execute(DROP).doing(&doing)?;
    }
    for file in &FILES {
        let doing = format!("creating the functions of {}", file.path);
        transaction.batch_execute(file.sql).doing(&doing)?;
    }
    // In the same transaction, since a function that was dropped has lost its rights.
    transaction.batch_execute(GRANTS).doing(doing)?;
    transaction
        .execute(
            include_str!("../sql/schema/record_functions.sql"),
            &[&current_digest(), &declared],
        )
        .doing(doing)?;
    transaction.commit().doing(doing)?;
    progress(format!(
        "created the functions in {} ms",
        started.elapsed().as_millis()
    ));
    Ok(true)
}

/// Whether the database has the functions of this program.
pub(super) fn are_current(recorded: Option<&Record>) -> bool {
    recorded.is_some_and(|record| record.digest == current_digest())
}

/// SHA-256 of these texts, in hexadecimal digits.
pub(super) fn digest<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let mut hash = Sha256::new();
    texts.for_each(|text| hash.update(text.as_bytes()));
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

fn current_digest() -> String {
    digest(FILES.iter().map(|file| file.sql))
}

/// Names of functions that another program created, and this one declares otherwise, or not at all.
fn stale<'r>(recorded: Option<&'r Record>, declared: &[String]) -> Vec<&'r str> {
    let recorded = recorded.map_or(&[][..], |record| &record.functions);
    recorded
        .iter()
        .filter(|there| !declared.contains(there))
        .map(|there| name(there))
        .collect()
}

/// The functions that a text creates, each with parameters and result, as `create or replace` compares them.
fn declarations(sql: &str) -> impl Iterator<Item = String> {
    sql.split("create or replace function public.")
        .skip(1)
        .map(|from| {
            let (declaration, _) = from.split_once("\nlanguage ").unwrap_or((from, ""));
            declaration.split_whitespace().collect::<Vec<_>>().join(" ")
        })
}

fn name(declaration: &str) -> &str {
    declaration.split('(').next().unwrap_or(declaration)
}
