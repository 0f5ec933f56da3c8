//! Writes of rows that the database sent on to other nodes, as Citus does.
//!
//! Rows of several shards are a two-phase commit, which an error before its end undoes everywhere. Rows of one shard are a
//! transaction of the worker's own: what fails on the coordinator meanwhile, such as its `statement_timeout`, does not undo
//! what the worker commits.

use super::{Class, Report, sqlstate};

/// The function of Citus' coordinator that raises a worker's error again. That of a worker which was lost has no code, so
/// it becomes internal_error. Source: Citus' connection/remote_commands.c.
const RAISES_AGAIN: &str = "ReportResultError";

/// The class of a failed write, as [`classify`](super::classify) says of rows that stay where the statement runs.
pub(super) fn classify(report: &Report<'_>) -> Class {
    let may_be_stored = match report.routine == RAISES_AGAIN {
        true => sqlstate::is_internal_error(report.sqlstate),
        false => !sqlstate::is_certain_of_nodes(report.sqlstate),
    };
    match super::classify(report) {
        Class::RolledBack | Class::TooCostly if may_be_stored => Class::Unknown,
        class => class,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first two as they were seen on Citus 13.2: with a worker's answer held up, and its connection cut.
    #[test]
    fn what_a_worker_may_have_committed_by_itself_is_unknown() {
        for (sqlstate, coordinator, worker) in [
            ("57014", Class::Unknown, Class::TooCostly),
            ("XX000", Class::Unknown, Class::Unknown),
            ("53200", Class::Unknown, Class::RolledBack),
            ("55P03", Class::RolledBack, Class::RolledBack),
            ("40P01", Class::RolledBack, Class::RolledBack),
            ("42P01", Class::RolledBack, Class::RolledBack),
            ("08006", Class::Unknown, Class::Unknown),
            ("23514", Class::Data, Class::Data),
        ] {
            for (routine, class) in [("ProcessInterrupts", coordinator), (RAISES_AGAIN, worker)] {
                let report = Report {
                    sqlstate,
                    is_error: true,
                    message: "",
                    routine,
                };
                assert_eq!(classify(&report), class, "{sqlstate} of {routine}");
            }
        }
    }
}
