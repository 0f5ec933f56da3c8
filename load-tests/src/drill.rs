//! Drills: a stack is broken under load, mended, and judged by what every answer promised.
//!
//! A [`Drill`] is a row of the `catalogue`: what is broken, on which rig, and the steps that break and mend it. The
//! `rounds` around them are the same for all: the engine's load with its ledger, the fault, ten creates in a row, the
//! settling of what is unknown, the comparison of the ledger with PostgreSQL, and the invariants I1 to I9.
//! The negative control goes first: a check that finds no loss where writes are lost proves nothing.

pub mod compose;

mod balanced;
mod balancer;
mod catalogue;
mod clients;
mod compare;
mod disk;
mod evidence;
mod figures;
mod isolation;
mod judge;
mod kind;
mod little_memory;
mod load;
mod lost_replies;
mod network;
mod page;
mod panics;
mod pooler;
mod postgres;
mod probe;
mod program;
mod recovery;
mod rig;
mod rounds;
mod scene;
mod server;
mod settle;
mod sizes;
mod slow_readers;
mod stop;
mod storm;
mod supervised;
mod table;
mod twins;
mod watch;

pub use figures::Figures;
pub use kind::Drill;
pub use page::page;
pub use program::{Campaign, run, write};
pub use rig::Length;
pub use table::{Row, Table};

/// The drills of this program, in the order in which they run.
pub fn catalogue() -> &'static [Drill] {
    catalogue::ALL
}
