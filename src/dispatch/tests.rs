//! Lanes with functions in place of the database: what is answered, what is sent, and when.

mod admission;
mod batches;
mod breaker;
mod claim;
mod failures;
mod gone;
mod outage;
mod queue;
mod riding;
mod rig;
