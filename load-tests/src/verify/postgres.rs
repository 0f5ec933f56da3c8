//! Verification in PostgreSQL: every row of the table against every line of the ledger.

mod check;

use anyhow::Context;
use postgres::Client;
use postgres::fallible_iterator::FallibleIterator;
use serde_json::Value;

use self::check::Check;
use super::verdict::Verdict;
use crate::ledger::{Attempt, Header, Stored};

/// Judges a ledger by the table itself. `count_by_api` is what the API says at the same time.
pub fn verify_in_postgres(
    client: &mut Client,
    header: &Header,
    attempts: &[Attempt],
    count_by_api: Option<u64>,
) -> anyhow::Result<Verdict> {
    let mut check = Check::new(attempts);
    let since = header.since();
    // The role's `statement_timeout` is for requests; a table is read for as long as it takes. A plain `set` would stay on a
    // pooler's connection for the next client. A pooler's own `query_timeout` bounds it all the same.
    let mut reading = (client.build_transaction().read_only(true).start())
        .context("cannot begin a transaction that reads the table `warrior`")?;
    reading
        .batch_execute("set local statement_timeout = 0")
        .context("cannot read the table `warrior` without a bound of time")?;
    let parameters: [(&(dyn postgres::types::ToSql + Sync), postgres::types::Type); 1] =
        [(&since, postgres::types::Type::FLOAT8)];
    let mut rows = reading
        .query_typed_raw(include_str!("warriors.sql"), parameters)
        .context("cannot read the table `warrior`")?;
    let mut count = 0;
    while let Some(row) = rows
        .next()
        .context("cannot read the table `warrior` to its end")?
    {
        count += 1;
        let unreadable = || format!("row {count} of the table `warrior` has an unexpected shape");
        let json: &str = row.try_get(1).with_context(unreadable)?;
        check.row(
            row.try_get(0).with_context(unreadable)?,
            &stored(json).with_context(unreadable)?,
            row.get(2),
        );
    }
    drop(rows);
    reading
        .commit()
        .context("cannot end the transaction that read the table `warrior`")?;
    let mut verdict = check.finish();
    verdict.count_expected = Some(count);
    verdict.count_by_api = count_by_api;
    Ok(verdict)
}

/// The warrior that a request would have stored as this row.
fn stored(row: &str) -> serde_json::Result<Stored> {
    let mut row: Value = serde_json::from_str(row)?;
    let columns = row
        .as_object_mut()
        .into_iter()
        .flat_map(|row| row.values_mut());
    for item in columns.filter_map(Value::as_array_mut).flatten() {
        // A NULL among the skills is nothing that a request can hold; neither is U+0000.
        if item.is_null() {
            *item = "\0".into();
        }
    }
    serde_json::from_value(row)
}
