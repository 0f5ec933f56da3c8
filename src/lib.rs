//! An HTTP API over PostgreSQL that keeps its promises under stress.

pub mod api;
pub mod config;
pub mod dispatch;
pub mod http;
pub mod ops;
pub mod serve;
pub mod store;
pub mod warrior;
