//! SQLSTATEs by their meaning here: the one place that names them.

use postgres::error::SqlState;

/// PgBouncer gives all of its own errors this code, protocol_violation.
const POOLER: &str = "08P01";
/// query_canceled: by `statement_timeout`, or by a cancel request.
const TIMEOUT: &str = "57014";
/// lock_not_available: by `lock_timeout`.
const LOCK_TIMEOUT: &str = "55P03";
/// read_only_sql_transaction.
const READ_ONLY: &str = "25006";
/// insufficient_privilege.
const INSUFFICIENT_PRIVILEGE: &str = "42501";
/// undefined_table.
const MISSING_TABLE: &str = "42P01";
/// undefined_function.
const MISSING_FUNCTION: &str = "42883";
/// undefined_column.
const MISSING_COLUMN: &str = "42703";
/// invalid_catalog_name.
const MISSING_DATABASE: &str = "3D000";
/// too_many_connections.
const TOO_MANY_CONNECTIONS: &str = "53300";
/// invalid_sql_statement_name: the name of a statement is unknown.
const UNKNOWN_NAME: &str = "26000";
/// duplicate_prepared_statement.
const NAME_IN_USE: &str = "42P05";
/// feature_not_supported: when a named statement is bound, its result has changed.
const CHANGED_RESULT: &str = "0A000";
/// cannot_connect_now: the server starts, stops or recovers.
const CANNOT_CONNECT_NOW: &str = "57P03";
/// internal_error.
const INTERNAL_ERROR: &str = "XX000";
/// The class of invalid_authorization_specification and invalid_password.
const INVALID_AUTHORIZATION: &str = "28";

/// SQLSTATE classes whose ERROR is about the server or the schema, and not about a row.
const CLASSES_NOT_ABOUT_A_ROW: &[&str] = &[
    "", "08", "0A", "25", "26", "28", "34", "3D", "3F", "40", "42", "53", "54", "55", "57", "58",
    "72", "F0", "HV", "XX",
];

/// SQLSTATE classes that a coordinator raises before it has sent rows to a node, or with the abort of all of them.
const CLASSES_CERTAIN_OF_NODES: &[&str] =
    &["0A", "25", "26", "28", "34", "3D", "3F", "40", "42", "55"];

/// The code of an error that the database, or the pooler, gave one.
pub(super) fn of(error: &postgres::Error) -> Option<&str> {
    error.code().map(SqlState::code)
}

pub(super) fn is_pooler(sqlstate: &str) -> bool {
    sqlstate == POOLER
}

pub(super) fn is_timeout(sqlstate: &str) -> bool {
    sqlstate == TIMEOUT
}

pub(super) fn is_lock_timeout(sqlstate: &str) -> bool {
    sqlstate == LOCK_TIMEOUT
}

pub(super) fn is_read_only(sqlstate: &str) -> bool {
    sqlstate == READ_ONLY
}

pub(super) fn is_insufficient_privilege(sqlstate: &str) -> bool {
    sqlstate == INSUFFICIENT_PRIVILEGE
}

pub(super) fn is_missing_table(sqlstate: &str) -> bool {
    sqlstate == MISSING_TABLE
}

pub(super) fn is_missing_function(sqlstate: &str) -> bool {
    sqlstate == MISSING_FUNCTION
}

/// A part of the schema that is not there.
pub(super) fn is_missing_object(sqlstate: &str) -> bool {
    matches!(sqlstate, MISSING_TABLE | MISSING_FUNCTION | MISSING_COLUMN)
}

pub(super) fn is_missing_database(sqlstate: &str) -> bool {
    sqlstate == MISSING_DATABASE
}

pub(super) fn is_too_many_connections(sqlstate: &str) -> bool {
    sqlstate == TOO_MANY_CONNECTIONS
}

pub(super) fn is_cannot_connect_now(sqlstate: &str) -> bool {
    sqlstate == CANNOT_CONNECT_NOW
}

pub(super) fn is_invalid_authorization(sqlstate: &str) -> bool {
    class(sqlstate) == INVALID_AUTHORIZATION
}

/// A login that was refused, for whatever of these reasons.
pub(super) fn is_login_refused(sqlstate: &str) -> bool {
    is_missing_database(sqlstate)
        || is_too_many_connections(sqlstate)
        || is_cannot_connect_now(sqlstate)
        || is_invalid_authorization(sqlstate)
}

/// A statement of unknown outcome: statement_completion_unknown, a shutdown, a crash, or a connection that failed.
/// The pooler's own errors, which are among these, may be of severity ERROR.
pub(super) fn is_outcome_unknown(sqlstate: &str) -> bool {
    matches!(sqlstate, "40003" | "57P01" | "57P02") || matches!(class(sqlstate), "" | "08")
}

pub(super) fn is_internal_error(sqlstate: &str) -> bool {
    sqlstate == INTERNAL_ERROR
}

/// Whether an ERROR of a coordinator's own with this code says that no node has stored anything.
pub(super) fn is_certain_of_nodes(sqlstate: &str) -> bool {
    CLASSES_CERTAIN_OF_NODES.contains(&class(sqlstate))
}

/// A page of the table, or of an index, that cannot be read: only a statement that needs it meets this.
pub(super) fn is_corruption(sqlstate: &str) -> bool {
    matches!(sqlstate, "XX001" | "XX002")
}

/// A named statement that is another one now, or none.
pub(super) fn is_lost_name(sqlstate: &str) -> bool {
    matches!(sqlstate, UNKNOWN_NAME | NAME_IN_USE | CHANGED_RESULT)
}

/// A failure that a setting of the session may have caused: read only, serialization_failure, insufficient_privilege.
pub(super) fn may_be_of_a_setting(sqlstate: &str) -> bool {
    matches!(sqlstate, READ_ONLY | "40001" | INSUFFICIENT_PRIVILEGE)
}

/// Whether an ERROR with this code is about the data of one request. An exception of a trigger has P0001, or a class
/// that its author made up.
pub(super) fn is_about_a_row(sqlstate: &str) -> bool {
    !CLASSES_NOT_ABOUT_A_ROW.contains(&class(sqlstate))
}

/// The first two characters; empty where there is no code.
fn class(sqlstate: &str) -> &str {
    sqlstate.get(..2).unwrap_or_default()
}
