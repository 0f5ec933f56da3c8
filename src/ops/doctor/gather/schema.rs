//! The schema and the role that serves, on a direct connection as the owner, or as whom there is.

use std::time::Duration;

use postgres::Client;
use postgres::error::SqlState;
use postgres::types::Type;

use super::super::evidence::{Role, Schema, Seen};
use super::super::finding::Unseen;
use super::super::place::Place;
use super::not_let_in;
use crate::store::schema::{self, Examination, SchemaError};
use crate::store::{self, Inquiry};

const WHAT: &str = "the schema, its indexes, triggers, rows and rights";
const SECRET_ROW: &str = "whether the database has a secret of Idempotency-Keys";
const LOOK: &str = include_str!("../sql/look.sql");
const ROLE: &str = include_str!("../sql/role.sql");
const SECRET: &str = include_str!("../sql/secret.sql");
/// Longest time of all questions about the schema, of which `look.sql` bounds each.
const EXAMINATION_TIMEOUT: Duration = Duration::from_secs(40);
/// Most rows that are counted, since the count reads the whole table.
pub(in crate::ops::doctor) const COUNT_ROWS_MAX: i64 = 1_000_000;

pub(super) fn ask(place: &Place) -> Seen<Schema> {
    // The list of migrations is shown to the owner and the monitor.
    let login = match &place.monitor {
        Some(monitor) if place.direct.user == place.serving.user => monitor,
        _ => &place.direct,
    };
    let mut session = Inquiry::open_direct(login).map_err(|e| not_let_in(WHAT, login, &e))?;
    let locale = match session.ask(prepare) {
        Ok(()) => None,
        Err(e @ SchemaError::Database { .. }) => Some(e.to_string()),
        Err(e @ SchemaError::Pooled) => {
            let why = e.to_string();
            let why = why.split(';').next().unwrap_or_default();
            return Err(Unseen::new(
                WHAT,
                format!(
                    "{why}; set POSTGRES_DIRECT_HOST and POSTGRES_DIRECT_PORT to PostgreSQL itself"
                ),
            ));
        }
        Err(e) => return Err(Unseen::new(WHAT, e)),
    };
    let role = session.ask(|client| role(client, place.runtime()));
    let not_ours = match login.user == place.direct.user && place.direct.user != place.serving.user
    {
        true => foreign_parts(session.ask(schema::check_owners)),
        false => Vec::new(),
    };
    let examined = session.ask_within(EXAMINATION_TIMEOUT, |client| {
        schema::examine(client, place.runtime(), COUNT_ROWS_MAX)
    });
    let has_secret = session.ask(has_secret);
    let unseen = has_secret.as_ref().err().cloned();
    let (examination, foreign): (Option<Examination>, _) = match examined {
        Ok(examination) => (Some(examination), None),
        // What belongs to another role may be closed to ours.
        Err(SchemaError::Refused { .. }) if !not_ours.is_empty() => (None, None),
        Err(e @ SchemaError::Refused { .. }) => return Err(Unseen::new(WHAT, e)),
        Err(e) => (None, Some(e.to_string())),
    };
    Ok(Schema {
        foreign,
        locale,
        not_ours,
        examination,
        has_secret: has_secret.unwrap_or_default(),
        unseen: unseen.into_iter().collect(),
        role: role.map_err(|e| Unseen::new(WHAT, store::chain(&e)))?,
    })
}

/// Checks the database, and makes sure that this session only looks.
fn prepare(client: &mut Client) -> Result<(), SchemaError> {
    let checked = match schema::check_server(client) {
        Err(e @ SchemaError::Database { .. }) => Err(e),
        other => return other.and_then(|()| look(client)),
    };
    look(client)?;
    checked
}

fn look(client: &mut Client) -> Result<(), SchemaError> {
    schema::set_session(client)?;
    schema::ask_only(client, LOOK)
}

fn foreign_parts(checked: Result<(), SchemaError>) -> Vec<String> {
    match checked {
        Err(SchemaError::NotOurs(commands)) => commands,
        _ => Vec::new(),
    }
}

/// None without the table, which the examination tells.
fn has_secret(client: &mut Client) -> Seen<Option<bool>> {
    let why = match client.query_typed(SECRET, &[]) {
        Ok(rows) => return Ok(rows.first().map(|row| row.get(0))),
        Err(e) => e,
    };
    let code = why.code();
    if code == Some(&SqlState::UNDEFINED_TABLE) {
        Ok(None)
    } else if code == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
        let why = "it is shown to the owner and to the role that serves: set POSTGRES_OWNER_PASSWORD_FILE";
        Err(Unseen::beside(SECRET_ROW, why))
    } else {
        Err(Unseen::new(SECRET_ROW, store::chain(&why)))
    }
}

fn role(client: &mut Client, name: &str) -> Result<Option<Role>, postgres::Error> {
    let rows = client.query_typed(ROLE, &[(&name, Type::NAME)])?;
    Ok(rows.first().map(|row| Role {
        powers: row.get("powers"),
        first: row.get("first"),
        connection_limit: row.get("connection_limit"),
        missing: row.get("missing"),
        schema_open: row.get("open"),
    }))
}
