//! The embedded stack: a private PostgreSQL and the PgBouncer before it, in one data folder.
//!
//! [`start`] finds the machine's programs, makes the cluster on the first run, starts both and
//! proves the way through them with one query; [`Stack::keep_running`] starts again what ends;
//! [`Stack::stop`], or dropping the [`Stack`], ends them in order. It is synchronous and knows nothing of warriors: the schema is applied by the caller.
//!
//! ```text
//! data/            0700, one owner, one lock
//!   lock           held by the process that runs the stack
//!   pg/            the cluster; postgresql.conf and pg_hba.conf are written anew at each start
//!   pgbouncer/     pgbouncer.ini as shipped, stack.ini and userlist.txt made at each start
//!   secrets/       one generated password a file, kept across runs
//!   log/           what both printed since the last start, and during the run before (.1)
//! ```

pub mod descriptors;
pub mod memory;
pub mod shipped;

mod cluster;
mod database;
mod embedded;
mod endpoints;
mod error;
mod folder;
mod keeper;
mod leftovers;
mod pooler;
mod ports;
mod process;
mod programs;
mod roles;
mod root;
mod secret;
mod secrets;
mod sizes;
mod stack;
mod supervise;
mod upgrade;

pub use database::{Database, Tls};
pub use embedded::Embedded;
pub use endpoints::{DATABASE, Endpoints, Instance};
pub use error::StackError;
pub use process::Stopping;
pub use programs::Version;
pub use root::{Unprivileged, leave_root};
pub use secret::{Secret, SecretError, SecretSource};
pub use sizes::Sizes;
pub use stack::{Stack, start};
pub use supervise::supervise;
