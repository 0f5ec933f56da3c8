//! Error classification: from DuckDB's errors to what is certain after them.
//!
//! DuckDB gives one kind of error to its clients, whose text begins with the name of its kind: that is the only evidence.

use warrior_duckdb::Error;

use crate::store::{Class, StoreError};

/// The kinds of errors of a statement that are about its data.
const ABOUT_A_ROW: [&str; 4] = [
    "Constraint Error",
    "Conversion Error",
    "Invalid Input Error",
    "Out of Range Error",
];
/// What DuckDB says to every statement after a fatal error, until the file is opened again.
const INVALIDATED: &str = "has been invalidated";
/// The kind of the error at which DuckDB gives a file up.
const FATAL: &str = "FATAL Error";

/// There is no connection.
pub(super) fn not_sent(error: &Error) -> StoreError {
    told(Class::NotSent, error)
}

/// A statement that changes nothing failed, or one whose transaction was not committed.
pub(super) fn undone(error: &Error) -> StoreError {
    let class = if is_invalidated(error) {
        Class::NotSent
    } else if error.cancelled {
        Class::TooCostly
    } else if ABOUT_A_ROW
        .iter()
        .any(|kind| error.message.starts_with(kind))
    {
        Class::Data
    } else {
        Class::RolledBack
    };
    told(class, error)
}

/// As [`undone`], for a read.
pub(super) fn of_read(error: &Error) -> StoreError {
    let error = undone(error);
    match error.class {
        Class::Data | Class::RolledBack => error.with_class(Class::ReadFailed),
        _ => error,
    }
}

/// A commit failed. Its records may be on the disk: an error of the disk tells of one step, not of those before it. One
/// worker writes, so that no other transaction can be in conflict with it.
pub(super) fn of_commit(error: &Error) -> StoreError {
    told(Class::Unknown, error)
}

/// A row has another shape than this program expects.
pub(super) fn malformed(what: &str) -> StoreError {
    StoreError::of_text(Class::ReadFailed, what)
}

fn told(class: Class, error: &Error) -> StoreError {
    if is_invalidated(error) {
        let text = format!(
            "DuckDB has given the file up after a fatal error, and no statement reaches it ({}); this server stops: \
             look for the cause (disk full, disk broken), then start it again; what was acknowledged is in the file or \
             in the .wal beside it",
            first_line(&error.message)
        );
        return StoreError::given_up(class, text);
    }
    // The rest of a message about data repeats the row.
    let text = match class {
        Class::Data => "the data was refused",
        _ => first_line(&error.message),
    };
    StoreError::of_text(class, text)
}

/// Whether DuckDB has given the file up.
pub(super) fn is_invalidated(error: &Error) -> bool {
    error.message.starts_with(FATAL) || error.before_values().contains(INVALIDATED)
}

fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(message: &str) -> Error {
        Error {
            message: message.to_owned(),
            cancelled: message.starts_with("INTERRUPT"),
        }
    }

    #[test]
    fn a_failure_has_the_class_of_what_is_certain_after_it() {
        let full = "IO Error: Could not write file \"/a.wal\": No space left on device";
        let given_up = "FATAL Error: Failed: database has been invalidated because of a previous fatal error. The \
                        database must be restarted prior to being used again.\nOriginal error: \"x\"";
        let refused = "Constraint Error: NOT NULL constraint failed: warrior.\"name\"";
        let interrupted = "INTERRUPT Error: Interrupted!";
        for (message, before, read, commit) in [
            (full, Class::RolledBack, Class::ReadFailed, Class::Unknown),
            (given_up, Class::NotSent, Class::NotSent, Class::Unknown),
            (refused, Class::Data, Class::ReadFailed, Class::Unknown),
            (
                interrupted,
                Class::TooCostly,
                Class::TooCostly,
                Class::Unknown,
            ),
        ] {
            let error = error(message);
            assert_eq!(undone(&error).class, before, "{message}");
            assert_eq!(of_read(&error).class, read, "{message}");
            assert_eq!(of_commit(&error).class, commit, "{message}");
            for told in [undone(&error), of_read(&error), of_commit(&error)] {
                assert_eq!(told.is_given_up(), message == given_up, "{message}");
            }
        }
        let quotes = "Constraint Error: Duplicate key \"name: x has been invalidated\" violates unique constraint";
        assert_eq!(undone(&error(quotes)).class, Class::Data);
        assert!(!undone(&error(quotes)).is_given_up());
        assert!(!undone(&error(refused)).to_string().contains("name"));
        assert!(
            undone(&error(given_up))
                .to_string()
                .contains("start it again")
        );
    }
}
