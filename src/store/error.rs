//! What a failure means for the request that met it: one function, from SQLSTATEs and PgBouncer's
//! texts to classes.

use std::fmt;

use postgres::error::{DbError, Severity, SqlState};

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
    /// The database cancelled the statement, and so undid it, since it took longer than it may.
    TooCostly,
    /// A read met an error, or an answer that makes no sense, that another attempt is likely to meet again.
    ReadFailed,
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
    pub const ALL: [Self; 6] = [
        Self::NotSent,
        Self::RolledBack,
        Self::Unknown,
        Self::Data,
        Self::TooCostly,
        Self::ReadFailed,
    ];

    /// The name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::RolledBack => "rolled_back",
            Self::Unknown => "unknown",
            Self::Data => "data",
            Self::TooCostly => "too_costly",
            Self::ReadFailed => "read_failed",
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
        let class = source
            .as_db_error()
            .map_or(Class::Unknown, |e| classify(&Told::of(e)));
        Self {
            class,
            source: Source::Postgres(source),
        }
    }

    /// As [`Self::of_write`], for a statement that changes nothing.
    pub(super) fn of_read(source: postgres::Error) -> Self {
        let mut error = Self::of_write(source);
        error.class = match (error.class, error.sqlstate()) {
            (Class::Data, _) | (_, Some(DATA_CORRUPTED | INDEX_CORRUPTED)) => Class::ReadFailed,
            (class, _) => class,
        };
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

    /// A row that was read has another shape than this program expects: the schema is not the one it knows.
    pub(super) fn of_row(source: postgres::Error) -> Self {
        Self {
            class: Class::ReadFailed,
            source: Source::Postgres(source),
        }
    }

    /// A read came back with rows that do not fit its question.
    pub(super) fn malformed(text: &str) -> Self {
        Self {
            class: Class::ReadFailed,
            source: Source::Text(text.to_owned()),
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

/// A page of the table, or of an index, cannot be read: only who asks for it meets this.
const DATA_CORRUPTED: &str = "XX001";
const INDEX_CORRUPTED: &str = "XX002";

/// SQLSTATE classes whose ERROR is about the server or the schema, and not about a row.
const NOT_ABOUT_A_ROW: &[&str] = &[
    "0A", "25", "26", "34", "3D", "3F", "40", "42", "53", "54", "55", "57", "58", "72", "F0", "HV",
    "XX",
];
/// The functions of PostgreSQL that raise such an SQLSTATE for one row after all: a policy of row-level security
/// that does not let it in, and a value that is too long for an index or a page.
const REFUSES_A_ROW: &[&str] = &[
    "ExecWithCheckOptions",
    "_bt_check_third_page",
    "GinFormTuple",
    "index_form_tuple",
    "index_form_tuple_context",
    "RelationGetBufferForTuple",
];

/// What the database, or the pooler, tells of an error, as far as its class depends on it.
struct Told<'e> {
    sqlstate: &'e str,
    /// ERROR, which undoes the statement and keeps the session; FATAL and PANIC end the session at a moment that
    /// nobody knows.
    is_error: bool,
    message: &'e str,
    /// The function of the server that raised it; its names are not translated.
    routine: &'e str,
}

impl<'e> Told<'e> {
    fn of(error: &'e DbError) -> Self {
        Self {
            sqlstate: error.code().code(),
            is_error: error.parsed_severity() == Some(Severity::Error),
            message: error.message(),
            routine: error.routine().unwrap_or_default(),
        }
    }
}

/// The class of a failed write. What is not known to be harmless is unknown.
fn classify(told: &Told<'_>) -> Class {
    match told.sqlstate {
        "08P01"
            if POOLER_NOT_SENT
                .iter()
                .any(|text| told.message.contains(text)) =>
        {
            Class::NotSent
        }
        "3D000" | "53300" | "57P03" => Class::NotSent,
        "40003" | "57P01" | "57P02" => Class::Unknown,
        // PostgreSQL stops listening to cancellation before it commits.
        "57014" if told.is_error => Class::TooCostly,
        sqlstate => match sqlstate.get(..2) {
            Some("28") => Class::NotSent,
            // The pooler's own errors may be of severity ERROR.
            None | Some("08") => Class::Unknown,
            _ if !told.is_error => Class::Unknown,
            _ if is_about_a_row(told) => Class::Data,
            _ => Class::RolledBack,
        },
    }
}

/// Whether an error is about the data of one request. What a trigger raises has P0001, or a class that its author
/// made up.
fn is_about_a_row(told: &Told<'_>) -> bool {
    let class = told.sqlstate.get(..2).unwrap_or_default();
    REFUSES_A_ROW.contains(&told.routine)
        || (!NOT_ABOUT_A_ROW.contains(&class) && !["", "08", "28"].contains(&class))
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Postgres(e) => match e.as_db_error() {
                // The detail of a database error repeats the row, and so does the message where the data
                // is at fault.
                Some(db) if is_about_a_row(&Told::of(db)) => {
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
