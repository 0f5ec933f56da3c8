//! Deferred drop: a function that the source gives up stays as long as a server of its version may call it, and is dropped
//! by the apply of the next version.

use postgres::Client;
use postgres::error::SqlState;

use super::error::{Doing, SchemaError};
use super::record::{self, NUMBER, Record};
use crate::quoting::quoted;

/// Drops, without `cascade`, what was superseded by an earlier number than ours whose apply has finished: servers of the
/// number before it may go on until then. Gives a note for each function that cannot be dropped.
///
/// It runs before the functions are replaced, and so before the record says which number they have now.
pub(super) fn drop_superseded(
    client: &mut Client,
    progress: &mut dyn FnMut(String),
    recorded: Option<&mut Record>,
) -> Result<Vec<String>, SchemaError> {
    let due = recorded.filter(|record| {
        let finished = record.number;
        record.functions_number < NUMBER && finished.is_some_and(|n| n >= record.functions_number)
    });
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
            Err(e) if e.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                let left = not_ours(client, signature)?;
                notes.extend(left.note);
                // Without a trigger it is said once: it is no longer ours to drop.
                if left.has_trigger {
                    stay.push(signature.clone());
                }
            }
            other => {
                other?;
                progress(format!(
                    "dropped {signature}, a function of an older program"
                ));
            }
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

/// A function of another role.
struct Left {
    /// None if it was dropped meanwhile.
    note: Option<String>,
    /// Whether a trigger on the table calls it, which is found by its signature in the record (warrior_mend_triggers).
    has_trigger: bool,
}

fn not_ours(client: &mut Client, signature: &str) -> Result<Left, SchemaError> {
    let row = client
        .query_one(
            include_str!("../sql/schema/function_owner.sql"),
            &[&signature],
        )
        .doing("asking who owns a function of an older program")?;
    let (owner, dbname): (Option<String>, String) = (row.get("owner"), row.get("dbname"));
    let note = owner.map(|owner| {
        format!(
            "the function {signature} of an older program belongs to role {owner}, and nothing of the API calls it; as \
             that role or an administrator run: psql -d {} -c {}",
            quoted(&dbname),
            quoted(&format!("drop function {signature}"))
        )
    });
    Ok(Left {
        note,
        has_trigger: row.get("has_trigger"),
    })
}
