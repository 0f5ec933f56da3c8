//! warrior-load as its users run it, in one binary. Several modules share contract, delay and scratch.

mod adversity;
mod comparisons;
mod contract;
mod delay;
mod engine;
mod ledgers;
mod promises;
mod rehearsals;
mod schema;
mod scratch;
mod thresholds;
mod usage;
