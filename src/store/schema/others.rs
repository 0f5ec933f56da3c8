//! What others have put on the table: what the service cannot work with, and what changes its answers.

use postgres::Client;

use super::error::{Doing, SchemaError};

/// What was found, each as a sentence.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// Obstacles: triggers under the names of ours, and rules, policies and child tables beside which the service cannot
    /// work; each with the command that removes it.
    pub(super) obstacles: Vec<String>,
    /// Those of them that a repair cannot work beside, either.
    pub(super) repair_obstacles: Vec<String>,
    /// Triggers, policies and constraints that change the answers.
    pub(super) notes: Vec<String>,
}

/// Looks at the table; there is nothing to be found where there is none.
pub(super) fn look(client: &mut Client) -> Result<Others, SchemaError> {
    let rows = client
        .query(include_str!("../sql/schema/others.sql"), &[])
        .doing("looking for triggers, rules, policies and child tables on public.warrior")?;
    let mut others = Others::default();
    for row in &rows {
        let (name, definition): (String, String) = (row.get("name"), row.get("definition"));
        let kind: &str = row.get("kind");
        match kind {
            "trigger under our name" => others.obstacles.push(format!(
                "the trigger {name} has a name that the API's own needs; rename it: alter trigger {name} on \
                 public.warrior rename to {name}_old;"
            )),
            "rule of inserts" => others.obstacles.push(format!(
                "beside the rule {name}, PostgreSQL refuses `insert ... on conflict`, which each create is; make it a \
                 trigger, and then: drop rule {name} on public.warrior;"
            )),
            "row-level security without a policy" => others.obstacles.push(format!(
                "row-level security is on, and no policy lets the role {definition} {name}; write one (create policy \
                 warrior_{name} on public.warrior for {name} to {definition} ...), or: alter table public.warrior \
                 disable row level security;"
            )),
            "forced row-level security" => others.obstacles.push(format!(
                "row-level security is forced on the table's owner, so that the role {name} may not see every row, and \
                 count and searches would be wrong; run: alter table public.warrior no force row level security;"
            )),
            "child table" => others.obstacles.push(format!(
                "the table {name} inherits from it, and neither an id nor a place tells the rows of both apart, so that \
                 finds and searches would mix them up; move its rows into public.warrior, and then: alter table {name} no \
                 inherit public.warrior;"
            )),
            "trigger of inserts" => others.notes.push(format!(
                "the trigger {name} runs at every create, which takes a second statement to see what it did: a warrior \
                 that it keeps out is answered 422, one that it changes 504, and so is a key that was used for another \
                 warrior, instead of 422; if nothing needs it: drop trigger {name} on public.warrior; ({definition})"
            )),
            "trigger of inserts in replicas" => others.notes.push(format!(
                "the trigger {name} runs at a create whose session has session_replication_role = replica, so each \
                 create takes a second statement to see whether it did, and a key that was used for another warrior is \
                 answered 504, instead of 422; if nothing needs it: drop trigger {name} on public.warrior; ({definition})"
            )),
            "policy" => others.notes.push(format!(
                "the policy {name} decides which rows the API may read and add: those that it hides are not found, but \
                 counted, and those that it refuses are answered 422; if nothing needs it: drop policy {name} on \
                 public.warrior; ({definition})"
            )),
            "constraint" => others.notes.push(format!(
                "{name} is not the API's: a warrior that it refuses is answered 422 ({definition})"
            )),
            kind => others.notes.push(format!(
                "the {kind} {name} never runs for the API, which neither changes nor removes a warrior ({definition})"
            )),
        }
        if row.get("meets_copies")
            && let Some(note) = others.notes.last_mut()
        {
            *note = format!(
                "{note}; each flush of the search indexes adds a copy of a row, which it undoes: where {name} keeps \
                 the copy out, the flush may hold creates up"
            );
        }
        // A trigger of another program is never replaced, and rows that are hidden are not counted.
        if matches!(kind, "trigger under our name" | "forced row-level security") {
            others
                .repair_obstacles
                .extend(others.obstacles.last().cloned());
        }
    }
    Ok(others)
}
