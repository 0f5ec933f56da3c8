//! DuckDB files, through a `libduckdb` that is found and loaded at run time.
//!
//! [`Library::find`] loads the library, [`Library::open`] opens a file, [`File::connect`] gives connections, whose rows
//! come as Arrow batches. The driver interface is ADBC, which DuckDB implements itself: nothing of DuckDB is compiled or
//! linked, and a program that never opens a file needs none of it. Of warriors this crate knows nothing.
//!
//! # Code map, from the leaves up
//!
//! - `places`: where a library may be. [`LibraryError`], [`OpenError`], [`Error`]: the sentences for people.
//! - `library`: loading, and the version. `file`: opening, and who is in the way. `connection`: statements.

mod connection;
mod error;
mod file;
mod library;
mod places;

pub use arrow_array;
pub use arrow_schema;

pub use connection::{Canceller, Connection, Rows};
pub use error::{Error, LibraryError, OpenError};
pub use file::{Access, File, cut_off_logs_of, log_of, logs_of};
pub use library::Library;
