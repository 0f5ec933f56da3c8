//! The schema commands: apply, status, print, recount.
//!
//! They run as the owner role on a direct connection, one at a time for each database. `schema/` holds the sources:
//! `tables` is history, each file run once; `functions` is source, created again when it changes; `indexes` are built
//! while writers go on; `plain` is a second schema, for other engines. [`current_version`] stands for all of it.
//!
//! `apply` can be killed at any point and run again: every file can be repeated, and so can every step around them. An
//! existing table is adopted while the API that uses it goes on; what locks writers out is held for moments only, and given
//! up and asked for again rather than waited for.

mod adopt;
mod applied;
mod apply;
mod direct;
mod drift;
mod error;
mod examination;
mod examine;
mod exclusive;
mod functions;
mod indexes;
mod load;
mod locks;
mod others;
mod owners;
mod plain;
mod print;
mod record;
mod recount;
mod replace;
mod retire;
mod roles;
mod shape;
mod source;
mod status;
mod tables;
mod triggers;

pub use applied::Applied;
pub use apply::{apply, apply_for};
pub use direct::DIRECT_OPTIONS;
#[cfg(feature = "duckdb")]
pub(crate) use direct::prepare;
pub(crate) use direct::{ask_only, check_server, set_session};
pub use error::SchemaError;
pub(crate) use examination::{Compared, Examination};
pub(crate) use examine::examine;
pub use load::{begin_load, defer_indexes, finish_load, flush_load, has_indexes};
pub(crate) use owners::check as check_owners;
pub use plain::apply_plain;
pub use print::{print, print_plain};
pub use record::current_version;
pub use recount::{Recounted, recount};
pub use roles::RUNTIME_ROLE;
pub use status::{Status, status, status_for};
