//! Integration tests: real PostgreSQL, real PgBouncer, one database for each test. One binary, so
//! that all tests share one stack and link once.

mod count;
mod plans;
mod schema;
mod search;
mod support;
