//! A load generator that can be believed.
//!
//! It sends on time whatever the server does ([`engine`], after a [`schedule`] computed ahead),
//! knows which status the contract prescribes for each request because it made it
//! ([`workload`]), and writes every create and its answer to a [`ledger`].

pub mod schedule;
pub mod tabulate;
pub mod target;
pub mod workload;

pub mod client;
pub mod collect;
pub mod compare;
pub mod control;
pub mod database;
pub mod drive;
pub mod engine;
pub mod exit;
pub mod files;
pub mod judge;
pub mod ledger;
pub mod live;
pub mod machine;
pub mod output;
pub mod process;
pub mod profile;
pub mod report;
pub mod result;
pub mod run;
pub mod stress;
pub mod verify;
