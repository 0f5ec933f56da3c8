//! The way over from DuckDB: a file of the old service is read, whatever shape its table has, into one canonical form.
//!
//! - `file`: opening within bounded memory, and digests. [`source`]: where in a file the warriors stand, and the one SELECT
//!   that gives them. [`row`]: its rows as warriors, or the reason why one is none; `written`: days and times outside the
//!   contract.
//! - [`survey`]: what cannot be taken, counted by reason. [`rejects`]: such rows, in a file of their own.
//! - [`import`]: chunks of rows into PostgreSQL. `encode`: rows as COPY takes them. [`progress`]: what is done, in the
//!   database.

mod encode;
mod error;
mod file;
pub mod import;
pub mod progress;
pub mod rejects;
pub mod row;
pub mod source;
pub mod survey;
mod written;

pub use error::MigrateError;
pub use file::{Opened, open, open_with_digest};
pub use warrior_duckdb::Connection;
