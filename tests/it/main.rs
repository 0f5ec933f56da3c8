//! Everything that needs the real stack: PostgreSQL, PgBouncer, sockets, processes.
//!
//! One binary, so that all tests of a run share one throw-away stack; each takes a database of its
//! own. Tests that break or restart the stack start one for themselves.

mod agreement;
mod database;
mod stack;
mod supervisor;
