//! Integration tests: real PostgreSQL, real PgBouncer, real sockets and processes.
//!
//! One binary, so that all tests share one throw-away stack and link once; each takes a database of
//! its own. Tests that break or restart the stack start one for themselves.

#![expect(
    clippy::unwrap_used,
    reason = "in a test, an unwrap that fails is the failure to report"
)]

mod adoption;
mod agreement;
mod api;
mod binding;
mod compose;
mod compose_ha;
mod count;
mod doctor;
mod drain;
mod drift;
mod faults;
mod figures;
mod flags;
mod flush;
mod generated;
mod guide_road;
mod head;
mod http;
mod idempotency;
mod large;
mod left;
#[cfg(feature = "duckdb")]
mod local;
mod lock;
mod malformed;
#[cfg(feature = "duckdb")]
mod migrate;
mod monitoring;
mod named;
mod one_role;
mod openmetrics;
mod ops;
mod others;
mod outcomes;
mod overload;
mod packaging;
mod panics;
mod plain;
mod plans;
mod program;
mod replication;
mod schema;
mod search;
mod searches;
mod secrets;
mod server;
mod settings;
mod slow_readers;
mod stack;
mod stages;
mod start;
mod stores;
mod supervisor;
mod support;
mod throttle;
mod tls;
mod up;
mod values;
mod wire;
