//! The way of requests: a login as the server makes it, and the session that it gets.

use postgres::Client;

use super::super::evidence::{Serving, Setting};
use super::super::finding::Unseen;
use crate::config::Database;
use crate::store::{self, Inquiry};

const READINESS: &str = "whether the database can be written to";
const SESSION: &str = include_str!("../sql/session.sql");
const LIMITS: &str = include_str!("../../../store/sql/start/limits.sql");

pub(super) fn ask(database: &Database) -> Serving {
    let mut session = match Inquiry::open_direct(database) {
        Ok(session) => session,
        Err(e) => {
            return Serving {
                refused: Some((e.to_string(), store::next_step(database, &e))),
                ..Serving::default()
            };
        }
    };
    let asked = session.ask(|client| {
        let limits = client.query_typed(LIMITS, &[])?;
        let direct = limits.first().is_some_and(|row| row.get("direct"));
        Ok((direct, settings(client)?))
    });
    let (direct, settings) = match asked {
        Ok(answer) => answer,
        Err(e) => return Serving::silent(&e),
    };
    let (readiness, unseen) = match session.ask(store::readiness) {
        Ok(readiness) => (Some(readiness), Vec::new()),
        Err(e) => (None, vec![Unseen::new(READINESS, store::chain(&e))]),
    };
    Serving {
        refused: None,
        silent: false,
        direct,
        readiness,
        settings,
        unseen,
    }
}

fn settings(client: &mut Client) -> Result<Vec<Setting>, postgres::Error> {
    let rows = client.query_typed(SESSION, &[])?;
    let setting = |row: &postgres::Row| Setting {
        name: row.get("name"),
        value: row.get("setting"),
        source: row.get("source"),
    };
    Ok(rows.iter().map(setting).collect())
}

impl Serving {
    /// A pooler lets clients in while its database is gone, or paused.
    fn silent(error: &postgres::Error) -> Self {
        let why = format!(
            "it lets us in, but answers nothing: {}",
            store::chain(error)
        );
        let silent = !why.contains("login");
        let next = "see whether PostgreSQL behind the pooler runs, and whether the pooler is paused (SHOW DATABASES)";
        Self {
            refused: Some((why, next.to_owned())),
            silent,
            ..Self::default()
        }
    }
}
