//! A load generator in the open model, without coordinated omission, and with proof of what was stored.
//!
//! The [`engine`] sends on time whatever the server does, after a [`schedule`] computed ahead; latency counts
//! from the intended moment. The [`workload`] knows which status the contract prescribes for each request.
//! The [`ledger`] holds every create and its answer, and [`verify`] compares the ledger with the database.

// What is sent, and when.
pub mod profile;
pub mod schedule;
pub mod target;
pub mod tls;
pub mod workload;

// A run: from its configuration to its result.
pub mod run;

pub mod drive;
pub mod engine;
pub mod ledger;

mod budget;
pub mod telemetry;
pub mod trial;

pub mod collect;
mod judge;
mod latency_bands;
pub mod result;
mod tabulate;
pub mod verify;

pub mod live;
pub mod report;
pub mod server_metrics;

// Programs made of runs.
pub mod calibrate;
pub mod capacity;
pub mod compare;
pub mod control;
pub mod demo_lost;
pub mod drill;
pub mod fuzz;
pub mod rehearse;
mod server;
pub mod stack;
pub mod sweep;
pub mod tune;

// What is around a run.
pub mod client;
pub mod commit;
mod control_group;
pub mod database;
pub mod machine;

pub mod exit;
pub mod files;
pub mod output;
pub mod process;
pub mod shell;
pub mod text_table;
