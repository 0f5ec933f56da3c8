//! Throughput and cost of the server beside references ([`mod@bench`]), and the worth of each setting of its
//! stack ([`settings`]).
//!
//! A figure alone says more about the machine than about the server. So whatever is compared is measured in
//! turn within one run, every second round in the opposite order, and what counts are ratios of neighbours.

// The two commands.
pub mod bench;
pub mod settings;

// What a bench is asked, does and finds.
mod goals;
mod measurement;
mod mixed;
pub mod options;
mod plan;
pub mod report;
pub mod result;
mod rig;
mod searches;

// How one measurement is taken.
mod companion;
mod cpu;
mod flush;
pub mod hello;
mod http;
mod open;
mod peers;
mod pgbench;
mod plain;
mod sample;

// What is in the table.
mod check;
pub mod fill;
mod hits;
mod marks;
mod names;
mod provenance;
mod table;
mod terms;
