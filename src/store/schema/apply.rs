//! `schema apply`, an idempotent migration: tables, functions, triggers, indexes and rights, in this order. After a kill the
//! next run goes on from the step that was cut off.

use std::time::Duration;

use postgres::Client;
use refinery::Migration;

use super::applied::Applied;
use super::error::SchemaError;
use super::record::{self, NUMBER};
use super::roles::{self, RUNTIME_ROLE};
use super::{
    adopt, direct, exclusive, indexes, locks, others, owners, plain, replace, retire, shape,
    tables, triggers,
};

/// Brings the database to [`current_version`](super::current_version), adopting a table that is there, for [`RUNTIME_ROLE`].
///
/// `progress` is given one line for each step.
///
/// # Errors
/// As [`SchemaError`] says; what was done until then stays, and the next run goes on from there.
pub fn apply(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
) -> Result<Applied, SchemaError> {
    apply_for(client, RUNTIME_ROLE, progress)
}

/// As [`apply`], for another role that serves requests; it may be the one that owns everything.
///
/// # Errors
/// As those of [`apply`].
pub fn apply_for(
    client: &mut Client,
    runtime: &str,
    progress: &mut dyn FnMut(String),
) -> Result<Applied, SchemaError> {
    direct::prepare(client)?;
    exclusive::run(client, progress, |client, progress| {
        roles::name(client, runtime)?;
        owners::check(client)?;
        let mut done = apply_steps(client, progress)?;
        roles::grant(client, roles::GRANTS)?;
        done.notes.extend(roles::limit(client, runtime)?);
        record::finish(client)?;
        Ok(done)
    })
}

fn apply_steps(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
) -> Result<Applied, SchemaError> {
    plain::refuse(client, SchemaError::IsPlain)?;
    let mut recorded = record::read(client)?;
    record::refuse_newer(recorded.as_ref())?;
    let before = tables::applied(client)?;
    tables::compare(client, &before)?;
    let existed = adopt::inspect(client, before.len())?;
    let mut done = Applied {
        version: NUMBER,
        adopted: existed && before.is_empty(),
        ..Applied::default()
    };

    // Functions refer to tables, triggers to functions, and the fill of an adopted table to both.
    run(client, progress, &tables::pending(&before), &mut done)?;
    shape::check(client)?;
    done.notes.extend(retire::drop_superseded(
        client,
        progress,
        recorded.as_mut(),
    )?);
    done.functions = replace::replace(client, progress, recorded.as_ref())?;
    done.writers_locked_out = triggers::create(client, progress)?;
    triggers::fill(client, progress)?;
    let (held, note) = adopt::require_created_at(client, progress)?;
    done.writers_locked_out = done.writers_locked_out.max(held);
    done.notes.extend(note);
    locks::set_lock_timeout(client, Duration::ZERO)?;
    done.indexes = indexes::build(client, progress)?;
    done.notes
        .extend(indexes::unused(&indexes::existing(client)?));
    done.notes.extend(others::look(client)?.notes);
    Ok(done)
}

/// Runs migrations one by one.
fn run(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
    pending: &[Migration],
    done: &mut Applied,
) -> Result<(), SchemaError> {
    for migration in pending {
        let took = locks::locked(client, progress, |client| tables::run(client, migration))?;
        progress(format!(
            "ran the migration {migration} in {} ms",
            took.as_millis()
        ));
        done.migrations.push(migration.to_string());
    }
    Ok(())
}
