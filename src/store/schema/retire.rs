//! Deferred drop: a function that the source gives up stays as long as a server of its version may call it, and is dropped
//! by the apply of the next version.

use postgres::Client;
use postgres::error::SqlState;

use super::error::{Doing, SchemaError};
use super::record::{self, NUMBER, Record};

/// Drops, without `cascade`, what was superseded by an earlier number than ours. Gives a note for each function that cannot
/// be dropped.
///
/// It runs before the functions are replaced, and so before the record says which number they have now.
pub(super) fn drop_superseded(
    client: &mut Client,
    recorded: Option<&mut Record>,
) -> Result<Vec<String>, SchemaError> {
    let due = recorded.filter(|record| record.functions_number < NUMBER);
    let Some(record) = due.filter(|record| !record.superseded.is_empty()) else {
        return Ok(Vec::new());
    };
    let (mut notes, mut stay) = (Vec::new(), Vec::new());
    for signature in &record.superseded {
        let dropped = client
            .batch_execute(&format!("drop function if exists {signature}"))
            .doing(&format!(
                "dropping {signature}, a function of an older program"
            ));
        match dropped {
            Err(e) if e.code() == Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST) => {
                notes.push(e.to_string());
                stay.push(signature.clone());
            }
            // Said once: it is no longer ours to drop.
            Err(e) if e.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                notes.push(not_ours(client, signature)?);
            }
            other => other?,
        }
    }
    record::write_superseded(client, &stay)?;
    record.superseded = stay;
    Ok(notes)
}

/// What the operator should know of functions that wait to be dropped.
pub(super) fn note(waiting: &[String]) -> String {
    format!(
        "functions of an older program stay for servers that still run it, until the `warrior-api schema apply` of a later \
         version: {}",
        waiting.join(", ")
    )
}

fn not_ours(client: &mut Client, signature: &str) -> Result<String, SchemaError> {
    let row = client
        .query_one(
            include_str!("../sql/schema/function_owner.sql"),
            &[&signature],
        )
        .doing("asking who owns a function of an older program")?;
    let (owner, dbname): (String, String) = (row.get("owner"), row.get("dbname"));
    Ok(format!(
        "the function {signature} of an older program belongs to role {owner}, and nothing of the API calls it; as that role \
         or an administrator run: psql -d {dbname} -c 'drop function {signature}'"
    ))
}
