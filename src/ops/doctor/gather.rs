//! Gathering of evidence: logins and questions, each with a deadline, none of which changes anything.

mod console;
mod database;
mod machine;
mod schema;
mod server;
mod serving;

pub(super) use self::machine::DISK;
pub(super) use self::schema::COUNT_ROWS_MAX;

use warrior_stack::descriptors;

use super::evidence::{Asked, Evidence};
use super::finding::Unseen;
use super::place::Place;
use crate::config::{ConfigError, Database, DoctorArgs, Tls};
use crate::quoting::identifier;
use crate::store::{self, LoginError};

/// Asks everything that can be asked.
///
/// # Errors
/// When a size that is configured is out of range.
pub(super) fn gather(args: &DoctorArgs, place: &Place) -> Result<Evidence, ConfigError> {
    let sizes = args.sizes()?;
    let deadline = args.deadline()?;
    let server = server::find(args, place);
    let pool = server.as_ref().ok().and_then(|server| {
        let figures = server.figures.as_ref().ok()?;
        figures.r2d2.as_ref().map(|pool| pool.max)
    });
    let serving = serving::ask(&place.serving);
    let console = (!serving.direct).then(|| console::ask(&place.console, &place.serving));
    Ok(Evidence {
        asked: Asked {
            connections: pool.unwrap_or(sizes.pool()),
            sizes,
            deadline,
            tls: place.serving.tls != Tls::Off,
            public_host: serving.refused.is_none() && machine::is_public(&place.serving),
            own_secret: place.stack.is_some() || args.has_idempotency_secret(),
            role: identifier(place.runtime()),
            dbname: identifier(&place.serving.dbname),
            descriptors_max: descriptors::raise(),
        },
        serving,
        console,
        schema: schema::ask(place),
        database: database::ask(place),
        server,
        files: machine::look(args, place),
    })
}

/// A login that failed, with what to do about it.
fn not_let_in(what: &'static str, database: &Database, error: &LoginError) -> Unseen {
    let user = &database.user;
    let next = store::next_step(database, error);
    Unseen::new(what, format!("role {user} is not let in: {error}; {next}"))
}
