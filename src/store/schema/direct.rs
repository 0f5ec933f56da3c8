//! Direct connections: a schema command refuses a pooler, and a database that cannot keep the contract.

use postgres::Client;

use super::error::{Doing, SchemaError};

/// A startup option that reaches PostgreSQL only on a direct connection: a pooler refuses the parameter `options`, or leaves
/// it out, and a pooled server connection was opened for another client anyway. Ports and addresses prove less: behind the
/// address translation of a container or a provider they differ on a direct connection, too.
pub const DIRECT_OPTIONS: &str = "-c warrior_api.direct=on";

/// Checks that the session may run migrations, and gives it the settings they need.
pub(crate) fn prepare(client: &mut Client) -> Result<(), SchemaError> {
    check_server(client)?;
    set_session(client)
}

/// Gives the session the settings that a schema command needs, whatever the role or the database has set.
pub(crate) fn set_session(client: &mut Client) -> Result<(), SchemaError> {
    client
        .query(include_str!("../sql/schema/session.sql"), &[])
        .doing("preparing the session")?;
    Ok(())
}

/// Runs a query of settings, which a session that only looks needs beside those of a schema command.
pub(crate) fn ask_only(client: &mut Client, settings: &str) -> Result<(), SchemaError> {
    client
        .query_typed(settings, &[])
        .doing("preparing the session")?;
    Ok(())
}

/// Checks that the session goes to PostgreSQL itself, and to a database that can keep the contract.
pub(crate) fn check_server(client: &mut Client) -> Result<(), SchemaError> {
    let sql = include_str!("../sql/schema/server.sql");
    let rows = client.query_typed(sql, &[]).doing("asking the server")?;
    let Some(server) = rows.first().filter(|server| server.get("direct")) else {
        return Err(SchemaError::Pooled);
    };
    let encoding: String = server.get("encoding");
    if encoding != "UTF8" || !server.get::<_, bool>("folds") {
        let locale = server.get("locale");
        return Err(SchemaError::Database { encoding, locale });
    }
    Ok(())
}
