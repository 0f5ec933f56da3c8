//! What a failure means for the request that met it: one function, from SQLSTATEs and PgBouncer's
//! texts to classes.

use std::fmt;

use postgres::error::{Severity, SqlState};

/// What is certain after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// No statement reached the database.
    NotSent,
    /// The database undid the statement.
    RolledBack,
    /// The statement may have had its effect.
    Unknown,
    /// The data itself was refused; another row of the batch may be fine.
    Data,
    /// The statement took longer than a read may.
    TooCostly,
}

/// A failure and its class.
#[derive(Debug)]
pub struct StoreError {
    /// What is certain.
    pub class: Class,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Postgres(postgres::Error),
    Text(String),
}

/// PgBouncer gives all of its errors the SQLSTATE 08P01; these texts say that the statement was not
/// handed to a server. (`src/client.c`, `src/objects.c`, `src/janitor.c` of 1.18 and 1.24.)
const POOLER_NOT_SENT: &[&str] = &[
    "query_wait_timeout",
    "server login has been failing",
    "server login failed",
    "no more connections allowed",
    "cannot connect to server",
    "is disabled",
    "client_login_timeout",
    "the database system is starting up",
    "the database system is shutting down",
];

impl Class {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::NotSent,
        Self::RolledBack,
        Self::Unknown,
        Self::Data,
        Self::TooCostly,
    ];

    /// The name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::RolledBack => "rolled_back",
            Self::Unknown => "unknown",
            Self::Data => "data",
            Self::TooCostly => "too_costly",
        }
    }
}

impl StoreError {
    /// No connection could be had, or none that lives.
    pub(super) fn not_sent(text: impl Into<String>) -> Self {
        Self {
            class: Class::NotSent,
            source: Source::Text(text.into()),
        }
    }

    /// A statement failed on a live connection.
    pub(super) fn of_write(source: postgres::Error) -> Self {
        let class = classify(
            source.code().map(SqlState::code),
            source.as_db_error().and_then(|e| e.parsed_severity()) == Some(Severity::Error),
            source.as_db_error().map_or("", |e| e.message()),
        );
        Self {
            class,
            source: Source::Postgres(source),
        }
    }

    /// As [`Self::of_write`], for a statement that changes nothing: one that ran out of its time is
    /// not worth a second try.
    pub(super) fn of_read(source: postgres::Error) -> Self {
        let mut error = Self::of_write(source);
        if matches!(error.sqlstate(), Some("57014" | TOO_COSTLY)) {
            error.class = Class::TooCostly;
        }
        error
    }

    /// Something failed after a write was committed, or may have been.
    pub(super) fn doubtful(source: postgres::Error) -> Self {
        Self {
            class: Class::Unknown,
            source: Source::Postgres(source),
        }
    }

    /// A write was committed, and a synchronous standby may not have it: see
    /// [`replication`](super::replication).
    pub(super) fn not_replicated() -> Self {
        let text = "the wait for the synchronous standby was cancelled: what was committed is on this \
                    server alone";
        Self {
            class: Class::Unknown,
            source: Source::Text(text.to_owned()),
        }
    }

    /// A row has another shape than this program expects: the schema is not the one it knows.
    pub(super) fn of_row(source: postgres::Error) -> Self {
        Self {
            class: Class::RolledBack,
            source: Source::Postgres(source),
        }
    }

    /// A batch came back with another number of replies than it had requests.
    pub fn wrong_number(replies: usize, requests: usize) -> Self {
        let text = format!("{replies} replies to {requests} requests");
        Self {
            class: Class::Unknown,
            source: Source::Text(text),
        }
    }

    /// A failure of this class, for tests of those who act on classes.
    #[cfg(test)]
    pub(crate) fn of_class(class: Class) -> Self {
        Self {
            class,
            source: Source::Text("provoked".to_owned()),
        }
    }

    /// The five-character code, where the database gave one.
    pub fn sqlstate(&self) -> Option<&str> {
        match &self.source {
            Source::Postgres(e) => e.code().map(SqlState::code),
            Source::Text(_) => None,
        }
    }
}

/// What `warrior_search` raises when a term would cost more than it may.
const TOO_COSTLY: &str = "WA001";

/// The class of a failed write, from its SQLSTATE (none: the connection itself failed), whether its
/// severity is ERROR rather than FATAL or PANIC, and its text. What is not known to be harmless is
/// unknown.
fn classify(sqlstate: Option<&str>, is_error: bool, message: &str) -> Class {
    let Some(sqlstate) = sqlstate else {
        return Class::Unknown;
    };
    match sqlstate {
        "08P01" if POOLER_NOT_SENT.iter().any(|text| message.contains(text)) => Class::NotSent,
        "3D000" | "53300" | "57P03" => Class::NotSent,
        "40003" | "57014" | "57P01" | "57P02" => Class::Unknown,
        _ => match sqlstate.get(..2) {
            Some("28") => Class::NotSent,
            Some("22" | "23") => Class::Data,
            Some("08") => Class::Unknown,
            // Any other ERROR undoes the statement and keeps the session; FATAL and PANIC end the
            // session at a moment that nobody knows.
            _ if is_error => Class::RolledBack,
            _ => Class::Unknown,
        },
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Postgres(e) => match e.as_db_error() {
                // The detail of a database error repeats the row, and so does the message where the data
                // is at fault.
                Some(db) if self.class == Class::Data => {
                    write!(f, "{}: the data was refused", db.severity())
                }
                Some(db) => write!(f, "{}: {}", db.severity(), db.message()),
                None => write!(f, "{}", crate::store::chain(e)),
            },
            Source::Text(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for StoreError {}

#[cfg(test)]
mod tests;
