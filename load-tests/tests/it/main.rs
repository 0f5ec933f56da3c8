//! warrior-load as its users run it, in one binary. Several modules share contract, delay and scratch.

mod adversity;
mod capacities;
mod comparisons;
mod contract;
mod delay;
mod demonstrations;
mod drills;
mod engine;
mod fuzzing;
mod generated;
mod https;
mod ledgers;
mod promises;
mod reaching;
mod recorder;
mod rehearsals;
mod schema;
mod scratch;
mod stored;
mod stress;
mod sweeps;
mod thresholds;
mod tunings;
mod usage;
mod values;
