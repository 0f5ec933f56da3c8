//! Texts of poolers by their meaning here: the one place that names them. PgBouncer gives its own errors one SQLSTATE,
//! so nothing else tells them apart. (`src/client.c`, `src/objects.c`, `src/janitor.c` of 1.18 and 1.24.)

use super::Refusal;

/// The statement was not handed to a server.
const NOT_SENT: &[&str] = &[
    "query_wait_timeout",
    "server login has been failing",
    "server login failed",
    "no more connections allowed",
    "cannot connect to server",
    "is disabled",
    "client_login_timeout",
    "the database system is starting up",
    "the database system is shutting down",
    "prepared statement did not exist",
];

/// A login was refused; Odyssey's texts, too. The first that fits decides.
const REFUSALS: &[(&str, Refusal)] = &[
    ("unsupported startup parameter", Refusal::Parameter),
    ("SSL required", Refusal::Way),
    ("SSL is required", Refusal::Way),
    ("pg_hba.conf", Refusal::Way),
    ("login rejected", Refusal::Way),
    ("password", Refusal::Credentials),
    ("authentication", Refusal::Credentials),
    ("no such user", Refusal::Credentials),
    ("no more connections", Refusal::TooManyConnections),
    ("too many", Refusal::TooManyConnections),
    ("connection slots", Refusal::TooManyConnections),
    ("permission denied for database", Refusal::NoConnectRight),
    ("not permitted to log in", Refusal::Role),
    ("role \"", Refusal::Role),
    ("no such database", Refusal::MissingDatabase),
    ("does not exist", Refusal::MissingDatabase),
    ("starting up", Refusal::CannotConnectNow),
    ("shutting down", Refusal::CannotConnectNow),
];

pub(super) fn is_not_sent(message: &str) -> bool {
    NOT_SENT.iter().any(|text| message.contains(text))
}

pub(super) fn refusal(message: &str) -> Option<Refusal> {
    let known = REFUSALS.iter().find(|(text, _)| message.contains(text));
    known.map(|(_, refusal)| *refusal)
}
