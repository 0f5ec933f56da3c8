//! A load generator that can be believed.
//!
//! It sends on time whatever the server does ([`engine`], after a [`schedule`] computed ahead),
//! knows which status the contract prescribes for each request because it made it
//! ([`workload`]), and writes every create and its answer to a [`ledger`].

// What is sent, and when.
pub mod profile;
pub mod schedule;
pub mod target;
pub mod workload;

// A run: from its configuration to its result.
pub mod run;

pub mod drive;
pub mod engine;
pub mod ledger;

pub mod collect;
pub mod judge;
pub mod result;
pub mod tabulate;
pub mod verify;

pub mod live;
pub mod report;

// Programs made of runs.
pub mod calibrate;
pub mod compare;
pub mod control;
pub mod stress;

// What is around a run.
pub mod client;
pub mod database;
pub mod machine;

pub mod exit;
pub mod files;
pub mod output;
pub mod process;
