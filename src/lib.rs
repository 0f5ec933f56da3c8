//! An HTTP API over PostgreSQL that keeps its promises under stress.

pub mod config;
pub mod dispatch;
pub mod stack;
pub mod store;
pub mod warrior;
