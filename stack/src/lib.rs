//! The embedded stack: a private PostgreSQL and the PgBouncer before it, in one data folder.
//!
//! [`start`] finds the machine's programs, makes the cluster on the first run, starts both and proves the
//! way through them with one query. [`Stack::supervise`] restarts what ends. [`Stack::stop`], or dropping
//! the [`Stack`], ends both in order. The crate is synchronous. Of the service, the names of the database, the
//! roles and the secrets are known here, and the shipped configuration files; tables and HTTP are not. The schema
//! is applied by the caller.
//!
//! # Code map, from the leaves up
//!
//! - [`layout`], [`shipped`], `settings`, `version`, `secret`, `stop`, `proc_lines`, `threads`: leaves, which import
//!   nothing of the crate. `ladders` and `database` import one of these: shutdown signals, login descriptions.
//! - [`Connections`]: the sizing model of the pools, which must agree. [`memory`], [`descriptors`]: limits.
//! - [`proc`], `process`: the process table, and child processes. `programs`, `upgrade`: what is installed.
//! - `folder`, `passwords`, `root`, `leftovers`, `ports`: the data folder, its secrets and owner, crash
//!   recovery, free ports.
//! - `initdb`, `machine_conf`, `postmaster`, `cluster`; `roles`; `pooler`: PostgreSQL, its roles, PgBouncer.
//! - `stack`, `supervise`: the life of both; `running`: one that another process runs.
//! - `protocol`: a stack as a child process of tests and tools. [`announcement`] holds its messages,
//!   [`run_commanded`] is the child and [`ChildStack`] the parent.
//! - [`signals`]: graceful shutdown. `proxy`: fault injection for tests and drills, with the feature `faults` alone.

pub mod descriptors;
pub mod layout;
pub mod memory;
pub mod proc;
#[cfg(feature = "faults")]
pub mod proxy;
pub mod shipped;
pub mod signals;

mod cluster;
mod connections;
mod database;
mod endpoints;
mod error;
mod folder;
mod initdb;
mod ladders;
mod leftovers;
mod machine_conf;
mod passwords;
mod pooler;
mod ports;
mod postmaster;
#[cfg(target_os = "linux")]
mod proc_lines;
mod process;
mod programs;
mod protocol;
mod roles;
mod root;
mod running;
mod secret;
mod settings;
mod stack;
mod stop;
mod supervise;
mod threads;
mod upgrade;
mod version;

pub use connections::Connections;
pub use database::{Database, Tls};
pub use endpoints::{Endpoints, Instance, Logins};
pub use error::StackError;
pub use layout::DATABASE;
pub use ports::free_ports;
pub use programs::newest_postgres_program;
pub use protocol::announcement;
pub use protocol::child::run_commanded;
pub use protocol::parent::{ChildStack, ChildStackError};
pub use root::{Unprivileged, leave_root};
pub use running::{NotRunning, Running, announce_admin, find as find_running, is_stack};
pub use secret::{Secret, SecretError, SecretSource};
pub use settings::Embedded;
pub use stack::{Stack, start};
pub use stop::Stop;
pub use version::Version;
