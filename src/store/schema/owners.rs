//! Ownership: a schema command changes what its role owns, and says at once what belongs to another role.

use postgres::Client;

use super::error::{Doing, SchemaError};
use super::functions;

/// Checks that relations and functions of the API belong to the role of this session, or to one that it is a member of.
///
/// # Errors
/// [`SchemaError::NotOurs`], with the commands that hand them over.
pub(super) fn check(client: &mut Client) -> Result<(), SchemaError> {
    let rows = client
        .query(
            include_str!("../sql/schema/owners.sql"),
            &[&functions::names()],
        )
        .doing("asking who owns the schema")?;
    match rows.is_empty() {
        true => Ok(()),
        false => Err(SchemaError::NotOurs(
            rows.iter().map(|row| row.get("command")).collect(),
        )),
    }
}
