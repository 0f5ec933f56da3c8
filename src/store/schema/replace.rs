//! Transactional DDL: all functions are created again in one transaction, so that no call meets a function that is missing.
//!
//! `create or replace` keeps a function's identity: a statement under way takes the new body at its next call. Another
//! signature makes an overload beside the old one. The old overload goes with a later version ([`retire`](super::retire)). What `create or
//! replace` refuses (the same types of parameters, another result) is dropped and created in the same transaction; a
//! statement under way that calls such a function may then fail.

use std::time::Instant;

use postgres::error::SqlState;
use postgres::{Client, Transaction};

use super::error::{Doing, SchemaError};
use super::functions::{self, Function, INDEXED};
use super::locks::locked;
use super::record::{self, Record};
use super::roles::GRANTS;

/// A grantee of a function, with its options.
struct Right {
    name: String,
    grantee: String,
}

/// Creates the functions again unless the database has them already, and says whether that was done.
pub(super) fn replace(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
    recorded: Option<&Record>,
) -> Result<bool, SchemaError> {
    let existing = functions::existing(client)?;
    functions::check_indexed(&existing)?;
    if functions::pending(recorded, &existing).is_empty() {
        return Ok(false);
    }
    let started = Instant::now();
    let mut dropped = Vec::new();
    loop {
        let mut refused = None;
        locked(client, progress, |client| {
            refused = attempt(client, &existing, recorded, &dropped)?;
            Ok(())
        })?;
        let Some(name) = refused else { break };
        dropped.extend(next_to_drop(name, &existing, recorded, &dropped));
    }
    progress(format!(
        "created the functions in {} ms",
        started.elapsed().as_millis()
    ));
    Ok(true)
}

/// Functions of this name that stand in the way of a definition, so far as is known: which of the overloads, PostgreSQL does
/// not say. Those that servers of an older version may still call come last.
fn next_to_drop<'f>(
    name: &str,
    existing: &'f [Function],
    recorded: Option<&Record>,
    dropped: &[&str],
) -> Vec<&'f str> {
    let of_name = |listed: &[String]| -> Vec<&'f str> {
        let named = existing.iter().filter(|f| f.name == name);
        named
            .filter(|f| listed.contains(&f.signature))
            .map(|f| f.signature.as_str())
            .filter(|signature| !dropped.contains(signature))
            .collect()
    };
    let Some(record) = recorded else {
        return Vec::new();
    };
    match of_name(&record.functions) {
        none if none.is_empty() => of_name(&record.superseded),
        some => some,
    }
}

/// One transaction; undone, with the name, when `create or replace` refuses a function that an older program of ours has
/// created with another result.
fn attempt(
    client: &mut Client,
    existing: &[Function],
    recorded: Option<&Record>,
    dropped: &[&str],
) -> Result<Option<&'static str>, SchemaError> {
    let doing = "creating the functions";
    let known = record::known(recorded);
    let mut transaction = client.transaction().doing(doing)?;
    transaction.batch_execute(record::CREATE).doing(doing)?;
    let rights = rights(&mut transaction, &known)?;
    for signature in dropped {
        let drop = format!("drop function {signature}");
        let doing = format!("dropping the function {signature}, whose result is another now");
        transaction.batch_execute(&drop).doing(&doing)?;
    }
    if !functions::has_indexed(existing) {
        transaction.batch_execute(INDEXED.sql).doing(doing)?;
    }
    for definition in functions::definitions() {
        let droppable = existing.iter().any(|f| {
            let signature = f.signature.as_str();
            f.name == definition.name && known.contains(&signature) && !dropped.contains(&signature)
        });
        match transaction.batch_execute(definition.sql) {
            Err(e) if e.code() == Some(&SqlState::INVALID_FUNCTION_DEFINITION) && droppable => {
                return Ok(Some(definition.name));
            }
            other => {
                let (name, path) = (definition.name, definition.path);
                other.doing(&format!("creating the function {name} of {path}"))?;
            }
        }
    }
    let mut created = functions::existing(&mut transaction)?;
    created.retain(|f| f.created_now && !functions::is_indexed(f));
    for function in &created {
        let before = functions::find(existing, &function.signature);
        if before.is_none() || dropped.contains(&function.signature.as_str()) {
            grant_again(&mut transaction, function, &rights)?;
        }
    }
    let is_created = |signature: &str| functions::find(&created, signature).is_some();
    let superseded: Vec<&str> = known
        .iter()
        .copied()
        .filter(|signature| !is_created(signature) && !dropped.contains(signature))
        .filter(|signature| functions::find(existing, signature).is_some())
        .collect();
    let created: Vec<(&str, &str)> = created
        .iter()
        .map(|f| (f.signature.as_str(), f.fingerprint.as_str()))
        .collect();
    let digest = functions::current_digest();
    let missing = |signature: &String| functions::find(existing, signature).is_none();
    let some_were_missing = recorded.is_some_and(|record| record.functions.iter().any(missing));
    record::write_functions(
        &mut transaction,
        &digest,
        &created,
        &superseded,
        some_were_missing,
    )?;
    // In the same transaction, since every role may call a new function.
    transaction.batch_execute(GRANTS).doing(doing)?;
    transaction.commit().doing(doing)?;
    Ok(None)
}

fn rights(transaction: &mut Transaction, known: &[&str]) -> Result<Vec<Right>, SchemaError> {
    let rows = transaction
        .query(include_str!("../sql/schema/function_rights.sql"), &[&known])
        .doing("reading who may call the functions")?;
    let right = |row: &postgres::Row| Right {
        name: row.get("name"),
        grantee: row.get("grantee"),
    };
    Ok(rows.iter().map(right).collect())
}

/// Gives a new function the rights that its predecessor of the same name had.
fn grant_again(
    transaction: &mut Transaction,
    function: &Function,
    rights: &[Right],
) -> Result<(), SchemaError> {
    let signature = &function.signature;
    let mut rights = rights
        .iter()
        .filter(|right| right.name == function.name)
        .peekable();
    if rights.peek().is_none() {
        return Ok(());
    }
    let mut sql = format!("revoke execute on function {signature} from public;");
    for right in rights {
        sql += &format!(
            "grant execute on function {signature} to {};",
            right.grantee
        );
    }
    transaction
        .batch_execute(&sql)
        .doing(&format!("granting {signature} again"))
}
