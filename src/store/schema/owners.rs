//! Ownership: a schema command changes what its role owns, and says at once what belongs to another role.

use postgres::Client;

use super::error::{Doing, SchemaError};
use super::roles::GRANTS;

/// Checks that relations and functions of the API belong to the role of this session, or to one that it is a member of.
/// Every function of the API stands in grants.sql with its signature, so that an overload of another program is left out.
///
/// # Errors
/// [`SchemaError::NotOurs`], with the commands that hand them over.
pub(crate) fn check(client: &mut Client) -> Result<(), SchemaError> {
    let rows = client
        .query(include_str!("../sql/schema/owners.sql"), &[])
        .doing("asking who owns the schema")?;
    let ours = |row: &&postgres::Row| {
        let signature: Option<String> = row.get("signature");
        signature.is_none_or(|signature| GRANTS.contains(&signature))
    };
    let commands: Vec<String> = rows
        .iter()
        .filter(ours)
        .map(|row| row.get("command"))
        .collect();
    match commands.is_empty() {
        true => Ok(()),
        false => Err(SchemaError::NotOurs(commands)),
    }
}
