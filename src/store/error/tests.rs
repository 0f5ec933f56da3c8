//! One row for each failure that a worker may see, and the class that decides its answer.

use super::*;

const ERROR: bool = true;
const FATAL: bool = false;

/// The class of what no particular function of PostgreSQL raised.
fn classify(sqlstate: &str, is_error: bool, message: &str) -> Class {
    super::classify(&Report {
        sqlstate,
        is_error,
        message,
        routine: "errfinish",
    })
}

#[test]
fn a_statement_that_never_left_the_pooler_was_not_sent() {
    for text in [
        "query_wait_timeout",
        "server login has been failing, try again later (server_login_retry)",
        "server login has been failing, cached error: connect failed (server_login_retry)",
        "no more connections allowed (max_client_conn)",
        "pgbouncer cannot connect to server",
        "database \"warrior_api\" is disabled",
        "client_login_timeout",
    ] {
        assert_eq!(classify("08P01", FATAL, text), Class::NotSent, "{text}");
        assert_eq!(classify("08P01", ERROR, text), Class::NotSent, "{text}");
    }
}

#[test]
fn a_server_that_lets_nobody_in_was_not_sent_anything() {
    for sqlstate in ["28P01", "28000", "3D000", "53300", "57P03"] {
        assert_eq!(classify(sqlstate, FATAL, ""), Class::NotSent, "{sqlstate}");
    }
}

#[test]
fn what_the_database_undid_is_rolled_back() {
    for sqlstate in [
        "40001", "40P01", "55P03", "53100", "53200", "25006", "42P01", "42501", "XX000", "54000",
    ] {
        assert_eq!(
            classify(sqlstate, ERROR, ""),
            Class::RolledBack,
            "{sqlstate}"
        );
    }
}

#[test]
fn whatever_may_have_happened_is_unknown() {
    for text in [
        "server conn crashed?",
        "query_timeout",
        "client_idle_timeout",
        "server closed the connection unexpectedly",
        "some text of a version to come",
    ] {
        assert_eq!(classify("08P01", FATAL, text), Class::Unknown, "{text}");
    }
    for sqlstate in ["57P01", "57P02", "40003", "08006", "08003"] {
        assert_eq!(classify(sqlstate, FATAL, ""), Class::Unknown, "{sqlstate}");
        assert_eq!(classify(sqlstate, ERROR, ""), Class::Unknown, "{sqlstate}");
    }
    // The session died of something else than a plain ERROR.
    assert_eq!(classify("XX000", FATAL, ""), Class::Unknown);
    for sqlstate in ["53200", "57014", "22P02", "23505", "P0001"] {
        assert_eq!(classify(sqlstate, FATAL, ""), Class::Unknown, "{sqlstate}");
    }
}

/// The timer is off before the commit begins, and a wait for a standby that is cancelled is a WARNING.
#[test]
fn a_statement_that_was_cancelled_was_undone() {
    assert_eq!(classify("57014", ERROR, ""), Class::TooCostly);
}

#[test]
fn one_row_that_is_refused_is_told_from_a_schema_that_refuses_all() {
    let raised_by = |sqlstate, routine| {
        super::classify(&Report {
            sqlstate,
            is_error: true,
            message: "",
            routine,
        })
    };
    for (sqlstate, of_a_row, of_all) in [
        ("42501", "ExecWithCheckOptions", "aclcheck_error"),
        ("54000", "_bt_check_third_page", "GetNewTransactionId"),
        ("54000", "GinFormTuple", "GetNewMultiXactId"),
    ] {
        assert_eq!(raised_by(sqlstate, of_a_row), Class::Data, "{of_a_row}");
        assert_eq!(raised_by(sqlstate, of_all), Class::RolledBack, "{of_all}");
    }
}

#[test]
fn bad_data_is_told_apart_so_that_a_batch_can_be_split() {
    for sqlstate in [
        "22001", "22007", "22008", "22021", "22025", "22P02", "23514", "23502", "23505", "44000",
        "P0001", "P0004", "45000", "ABC01",
    ] {
        assert_eq!(classify(sqlstate, ERROR, ""), Class::Data, "{sqlstate}");
    }
}

#[test]
fn a_code_that_is_none_is_unknown() {
    for sqlstate in ["", "2", "é1", "2é"] {
        assert_eq!(
            classify(sqlstate, FATAL, ""),
            Class::Unknown,
            "{sqlstate:?}"
        );
    }
}

#[test]
fn a_chain_names_every_cause_once() {
    let inner = std::io::Error::other("connection refused");
    let outer = std::io::Error::other(inner);
    assert!(chain(&outer).contains("connection refused"));
}
