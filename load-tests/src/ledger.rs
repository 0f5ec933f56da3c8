//! The ledger, a write-ahead log of creates and their answers.
//!
//! One JSON object a line, whose format is in `line.rs`. The first describes the run; then `{"sent":n,"body":{...}}` is
//! written before request `n` leaves, and `{"answer":n,"status":201,...}` (or `"cut":"why"`)
//! before its answer counts. A generator that is killed therefore leaves no row in the database
//! that the ledger does not know of. Lines reach the kernel one by one and the disk once a
//! second and at the end.

mod answer;
mod attempt;
mod line;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use answer::Answered;
pub use attempt::{Attempt, Fate, Stored};
pub use line::Header;
pub use read::read;
pub use write::Ledger;
