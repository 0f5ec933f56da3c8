//! The table under measurement: emptied, flushed, and asked for what is in it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use hyper::Uri;
use warrior_load::stack::Stack;

use crate::flush::ASK_INTERVAL;

/// Longer than the limits of a statement and of its repeat.
const REST_WAIT_MAX: Duration = Duration::from_secs(30);

/// Removes every row.
pub(crate) fn empty(stack: &Stack) -> anyhow::Result<()> {
    let mut owner = stack.owner().connect()?;
    Ok(owner.batch_execute(include_str!("sql/empty.sql"))?)
}

/// Moves the pending lists into the search indexes, so that the next measurement does not.
pub(crate) fn flush(stack: &Stack) -> anyhow::Result<()> {
    let mut owner = stack.owner().connect()?;
    // None: a flusher of the server is at it.
    while (owner.query_one(include_str!("sql/flush.sql"), &[])?)
        .try_get::<_, Option<i64>>(0)?
        .is_none()
    {
        std::thread::sleep(ASK_INTERVAL);
    }
    Ok(())
}

/// Waits until no statement of the server runs: those of requests that were given up run on to their limit.
pub(crate) fn await_rest(stack: &Stack) -> anyhow::Result<()> {
    let mut superuser = stack.superuser().connect()?;
    let until = Instant::now() + REST_WAIT_MAX;
    while superuser
        .query_one(include_str!("sql/runs.sql"), &[])?
        .try_get::<_, bool>(0)?
    {
        ensure!(
            Instant::now() < until,
            "statements of the server still run {} s after its last request",
            REST_WAIT_MAX.as_secs()
        );
        std::thread::sleep(ASK_INTERVAL);
    }
    Ok(())
}

/// The warriors that finds ask for; pgbench draws from the same ones.
pub(crate) fn pool(stack: &Stack) -> anyhow::Result<Arc<[Uri]>> {
    uris(stack, include_str!("sql/pool.sql"))
}

/// Some thousands of warriors, drawn from the whole table.
pub(crate) fn sample(stack: &Stack) -> anyhow::Result<Arc<[Uri]>> {
    uris(stack, include_str!("sql/sample.sql"))
}

/// How many different skills the dictionary holds.
pub(crate) fn distinct_skills(stack: &Stack) -> anyhow::Result<i64> {
    let mut owner = stack.owner().connect()?;
    let row = owner.query_one(include_str!("sql/distinct_skills.sql"), &[])?;
    Ok(row.try_get(0)?)
}

fn uris(stack: &Stack, ids: &str) -> anyhow::Result<Arc<[Uri]>> {
    let mut owner = stack.owner().connect()?;
    let rows = owner.query(ids, &[])?;
    ensure!(!rows.is_empty(), "the table is empty");
    rows.iter()
        .map(|row| {
            let id: uuid::Uuid = row.try_get(0)?;
            stack.api.uri(&format!("/warrior/{id}"))
        })
        .collect()
}
