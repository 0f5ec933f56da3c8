//! Error classification: from SQLSTATEs and PgBouncer's texts to the certain part of a request's outcome.

mod nodes;

use std::error::Error;
use std::fmt;
use std::io;
use std::iter;

use postgres::error::{DbError, Severity};

use super::{pooler_texts, sqlstate};

/// The functions of PostgreSQL that raise an SQLSTATE of the server for one row after all: a policy of row-level
/// security that does not let it in, and a value that is too long for an index or a page.
const REFUSES_A_ROW: &[&str] = &[
    "ExecWithCheckOptions",
    "_bt_check_third_page",
    "GinFormTuple",
    "index_form_tuple",
    "index_form_tuple_context",
    "RelationGetBufferForTuple",
];

/// The certainty that is left after a failure.
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
    /// The certainty that is left.
    pub class: Class,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Postgres(postgres::Error),
    Text(String),
    /// The database is gone for as long as this process lives.
    #[cfg_attr(
        not(any(feature = "duckdb", test)),
        expect(dead_code, reason = "DuckDB alone gives a file up")
    )]
    GivenUp(String),
}

/// An error as the database, or the pooler, reports it, as far as its class depends on that.
struct Report<'e> {
    sqlstate: &'e str,
    /// ERROR, which undoes the statement and keeps the session; FATAL and PANIC end the session at an
    /// unknown moment.
    is_error: bool,
    message: &'e str,
    /// The function of the server that raised it; its names are not translated.
    routine: &'e str,
}

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
        Self::of_text(Class::NotSent, text)
    }

    /// A statement failed on a live connection.
    pub(super) fn of_write(source: postgres::Error) -> Self {
        let class = source
            .as_db_error()
            .map_or(Class::Unknown, |e| classify(&Report::of(e)));
        Self {
            class,
            source: Source::Postgres(source),
        }
    }

    /// As [`Self::of_write`], for rows that the database sent on to other nodes.
    pub(super) fn of_distributed_write(source: postgres::Error) -> Self {
        let mut error = Self::of_write(source);
        if let Source::Postgres(source) = &error.source {
            let report = source.as_db_error().map(Report::of);
            error.class = report.map_or(error.class, |e| nodes::classify(&e));
        }
        error
    }

    /// As [`Self::of_write`], for a statement that was still to be sent.
    pub(super) fn of_unsent(source: postgres::Error) -> Self {
        let mut error = Self::of_write(source);
        if error.class == Class::Unknown {
            error.class = Class::NotSent;
        }
        error
    }

    /// As [`Self::of_write`], for a statement that changes nothing.
    pub(super) fn of_read(source: postgres::Error) -> Self {
        let mut error = Self::of_write(source);
        if error.class == Class::Data || error.sqlstate().is_some_and(sqlstate::is_corruption) {
            error.class = Class::ReadFailed;
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

    /// A write was committed, and a synchronous standby or a worker of Citus may not have it: see
    /// [`replication`](super::replication).
    pub(super) fn not_replicated() -> Self {
        let text = "the wait for the synchronous standby was cancelled, or a worker of Citus did not confirm the commit: \
                    what was committed is not on every server that should have it";
        Self::of_text(Class::Unknown, text)
    }

    /// A write was committed, or may have been, and the schema by which its rows were to be proved is gone.
    pub(super) fn schema_replaced() -> Self {
        let text = "the plain schema was replaced while a create was looked up: run `warrior-api schema status`";
        Self::of_text(Class::Unknown, text)
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
        Self::of_text(Class::ReadFailed, text)
    }

    /// A failure that a text tells.
    pub(crate) fn of_text(class: Class, text: impl Into<String>) -> Self {
        Self {
            class,
            source: Source::Text(text.into()),
        }
    }

    /// No statement of this process reaches the database any more.
    #[cfg(any(feature = "duckdb", test))]
    pub(crate) fn given_up(class: Class, text: impl Into<String>) -> Self {
        Self {
            class,
            source: Source::GivenUp(text.into()),
        }
    }

    /// The same failure in another class.
    #[cfg(feature = "duckdb")]
    pub(super) fn with_class(self, class: Class) -> Self {
        Self { class, ..self }
    }

    /// A batch came back with another number of replies than it had requests.
    pub fn wrong_number(replies: usize, requests: usize) -> Self {
        let text = format!("{replies} replies to {requests} requests");
        Self::of_text(Class::Unknown, text)
    }

    /// A failure of this class, for tests of code that acts on classes.
    #[cfg(test)]
    pub(crate) fn of_class(class: Class) -> Self {
        Self::of_text(class, "provoked")
    }

    /// The five-character code, where the database gave one.
    pub fn sqlstate(&self) -> Option<&str> {
        match &self.source {
            Source::Postgres(e) => sqlstate::of(e),
            Source::Text(_) | Source::GivenUp(_) => None,
        }
    }

    /// Whether no later attempt of this process reaches the database.
    pub(crate) fn is_given_up(&self) -> bool {
        matches!(self.source, Source::GivenUp(_))
    }

    /// Whether the database cut the statement off, by `statement_timeout` or because of a cancel request.
    pub(super) fn is_timeout(&self) -> bool {
        self.sqlstate().is_some_and(sqlstate::is_timeout)
    }
}

impl<'e> Report<'e> {
    fn of(error: &'e DbError) -> Self {
        Self {
            sqlstate: error.code().code(),
            is_error: error.parsed_severity() == Some(Severity::Error),
            message: error.message(),
            routine: error.routine().unwrap_or_default(),
        }
    }

    fn is_unsent_at_pooler(&self) -> bool {
        sqlstate::is_pooler(self.sqlstate) && pooler_texts::is_not_sent(self.message)
    }

    fn is_about_a_row(&self) -> bool {
        REFUSES_A_ROW.contains(&self.routine) || sqlstate::is_about_a_row(self.sqlstate)
    }
}

/// The class of a failed write. An error that is not known to be harmless leaves the outcome unknown.
fn classify(report: &Report<'_>) -> Class {
    let sqlstate = report.sqlstate;
    if report.is_unsent_at_pooler() || sqlstate::is_login_refused(sqlstate) {
        Class::NotSent
    } else if sqlstate::is_outcome_unknown(sqlstate) || !report.is_error {
        Class::Unknown
    } else if sqlstate::is_timeout(sqlstate) {
        // PostgreSQL stops listening to cancellation before it commits.
        Class::TooCostly
    } else if report.is_about_a_row() {
        Class::Data
    } else {
        Class::RolledBack
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Postgres(e) => match e.as_db_error() {
                // The detail of a database error repeats the row, and so does the message where the data
                // is at fault.
                Some(db) if Report::of(db).is_about_a_row() => {
                    write!(f, "{}: the data was refused", db.severity())
                }
                Some(db) => write!(f, "{}: {}", db.severity(), db.message()),
                None => f.write_str(&chain(e)),
            },
            Source::Text(text) | Source::GivenUp(text) => f.write_str(text),
        }
    }
}

impl Error for StoreError {}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        text.push_str(": ");
        text.push_str(&e.to_string());
        cause = e.source();
    }
    text
}

/// Whether the connection is gone, and with it the answer: the database stopped, or the way to it broke.
#[cfg(feature = "duckdb")]
pub(crate) fn is_cut_off(error: &postgres::Error) -> bool {
    match sqlstate::of(error) {
        Some(sqlstate) => sqlstate::is_outcome_unknown(sqlstate),
        None => error.is_closed() || error.source().is_some_and(|cause| cause.is::<io::Error>()),
    }
}

/// An error and its causes, also the one inside an [`io::Error`], whose source is the next one behind it.
pub(super) fn causes<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    iter::successors(Some(error), |&e| {
        let inner = e.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.map_or_else(|| e.source(), |inner| Some(inner as &(dyn Error + 'static)))
    })
}

#[cfg(test)]
mod tests;
