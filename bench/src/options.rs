//! The options of a bench.

use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use crate::fill::Contents;

/// The parts of a bench; without a choice all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Creates, beside pgbench and beside an empty table
    Create,
    /// Finds by id, beside the hello server and pgbench
    Find,
    /// Counts, beside the hello server and beside an empty table
    Count,
    /// Searches for random letters, as the public stress test sends them
    Search,
    /// Searches by class of terms, with a check of the answers
    Classes,
    /// Creates beside searches, and at 80 % of the peak
    Mixed,
    /// Other programs that do the same, in turn with the server: creates, finds, counts, searches, and classes where
    /// these are asked for
    Peers,
}

/// The choices of the command line.
#[derive(Clone, Debug, Serialize)]
pub struct BenchOptions {
    /// The server's binary.
    #[serde(skip)]
    pub server: PathBuf,
    /// The binary of the peers.
    #[serde(skip)]
    pub peers: PathBuf,
    /// Rows in the table before anything is measured.
    pub rows: u64,
    /// The tables, one after another: everything is measured on the first, classes on all of them.
    pub tables: Vec<Contents>,
    /// Numbers of connections.
    pub connections: Vec<usize>,
    /// How often everything is measured.
    pub rounds: usize,
    /// How long each time.
    pub seconds: u32,
    /// Generator threads.
    pub threads: usize,
    /// The parts, each once, in order.
    pub only: Vec<Part>,
    /// Whether the plain schema is measured beside, where a part has anything to do with the schema.
    pub plain: bool,
}

impl BenchOptions {
    /// Whether any of these parts was asked for.
    pub fn wants(&self, parts: &[Part]) -> bool {
        parts.iter().any(|part| self.only.contains(part))
    }

    /// The number of connections that stands for a busy server: 64 where that is measured.
    pub fn crowd(&self) -> usize {
        let greatest = self.connections.iter().max().copied().unwrap_or(64);
        let measured = self.connections.iter().copied();
        measured.into_iter().find(|n| *n == 64).unwrap_or(greatest)
    }
}
