//! One setting compared with its default under one load.

use super::options::Load;
use crate::sample::Sample;

/// One setting under one load.
pub(super) struct Compared {
    pub(super) name: String,
    pub(super) load: Load,
    pub(super) default: String,
    pub(super) ours: String,
    pub(super) seconds: u32,
    /// One pair a round: with the default, and with our value.
    pub(super) pairs: Vec<(Measured, Measured)>,
}

/// A sample, and what it wrote to the log.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measured {
    pub(super) sample: Sample,
    /// Bytes of write-ahead log for each warrior that was stored; 0 where none was.
    pub(super) log_bytes: f64,
}
