//! The way over from DuckDB: a file of the old service is read, whatever shape its table has, into one canonical form.
//!
//! - `file`: opening within bounded memory, and digests. [`source`]: where in a file the warriors stand, and the one SELECT
//!   that gives them. [`row`]: its rows as warriors, or the reason why one is none; `skills`: those that stand in one text;
//!   `written`: days and times outside the contract.
//! - [`survey`]: what cannot be taken, counted by reason. [`rejects`]: such rows, in a file of their own.
//! - [`import`]: chunks of rows into PostgreSQL. `encode`: rows as COPY takes them. [`progress`]: what is done, in the
//!   database.
//! - `snapshot`: the warriors in PostgreSQL as of one moment. `ranges`: digests by ranges of ids. [`compare`]: the rows in
//!   which a file and a snapshot differ; `differences`: the account of them. [`left_out`]: what is not compared.
//! - [`export`]: the way back; `writer`: rows into a file, in the shape that its table has.

pub mod compare;
mod differences;
mod encode;
mod error;
pub mod export;
mod file;
pub mod import;
pub mod left_out;
pub mod progress;
mod ranges;
pub mod rejects;
pub mod row;
mod skills;
mod snapshot;
pub mod source;
pub mod survey;
mod writer;
mod written;

pub use error::MigrateError;
pub use file::{Opened, open, open_with_digest};
pub use snapshot::Snapshot;
pub use warrior_duckdb::{Canceller, Connection};
