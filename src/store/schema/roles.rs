//! The role that serves requests: what it may do, and the limits of its statements.

use postgres::Client;
use postgres::error::SqlState;
use postgres::types::Type;

use super::error::{Doing, SchemaError};

/// The role that serves requests where no other is named.
pub const RUNTIME_ROLE: &str = "warrior";

pub(super) const GRANTS: &str = include_str!("../sql/schema/grants.sql");
pub(super) const SET_LIMITS: &str = include_str!("../sql/schema/set_limits.sql");

/// Names the role to the statements below.
///
/// # Errors
/// [`SchemaError::NoRole`], before anything is changed.
pub(super) fn name(client: &mut Client, runtime: &str) -> Result<(), SchemaError> {
    let row = client
        .query_one(include_str!("../sql/schema/runtime_role.sql"), &[&runtime])
        .doing("looking for the role that serves requests")?;
    if row.get("present") {
        return Ok(());
    }
    Err(SchemaError::NoRole {
        role: runtime.to_owned(),
        dbname: row.get("dbname"),
    })
}

/// Names the role, as [`name`] does; the sentence about it where it is missing.
pub(super) fn missing(client: &mut Client, runtime: &str) -> Result<Option<String>, SchemaError> {
    match name(client, runtime) {
        Ok(()) => Ok(None),
        Err(e @ SchemaError::NoRole { .. }) => Ok(Some(e.to_string())),
        Err(e) => Err(e),
    }
}

/// Lets the role do what serving needs: `grants` are those of its schema.
pub(super) fn grant(client: &mut Client, grants: &str) -> Result<(), SchemaError> {
    client
        .batch_execute(grants)
        .doing("granting the API's role what it needs")
}

/// Gives the role the limits of roles.sql that were not chosen for it, and says so; none where all are.
/// PgBouncer passes no `options`, so they have to stand on the role.
pub(super) fn limit(client: &mut Client, runtime: &str) -> Result<Option<String>, SchemaError> {
    let rows = client
        .query_typed(
            include_str!("../sql/schema/limits.sql"),
            &[(&runtime, Type::TEXT)],
        )
        .doing("reading the limits of the API's role")?;
    if rows.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    let values: Vec<&str> = rows.iter().map(|row| row.get(1)).collect();
    let listed: Vec<String> = names
        .iter()
        .zip(&values)
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    let listed = listed.join(", ");
    client
        .query(
            include_str!("../sql/schema/hand_over_limits.sql"),
            &[&names, &values],
        )
        .doing("naming the limits of the API's role")?;
    let said = match client.batch_execute(SET_LIMITS) {
        Ok(()) => format!(
            "role {runtime} had no limits of its own and got, in this database: {listed}; another value stays once \
             it is set (alter role {runtime} in database ... set ...)"
        ),
        Err(e) if e.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => format!(
            "role {runtime} lacks limits that this role may not set: {listed}; as an administrator run \
             postgres-conf/roles.sql"
        ),
        Err(e) => return Err(e).doing("setting the limits of the API's role"),
    };
    Ok(Some(said))
}

/// What every role may use, though only the owner should.
pub(super) fn exposed(client: &mut Client, functions: &[&str]) -> Result<Vec<String>, SchemaError> {
    let rows = client
        .query(include_str!("../sql/schema/exposed.sql"), &[&functions])
        .doing("reading who may call the functions")?;
    let name = |row: &postgres::Row| format!("every role may use {}", row.get::<_, &str>("name"));
    Ok(rows.iter().map(name).collect())
}
