//! The options of a comparison of settings.

use std::path::PathBuf;

use clap::ValueEnum;

/// The choices of the command line.
#[derive(Clone, Debug)]
pub struct SettingsOptions {
    /// The server's binary.
    pub server: PathBuf,
    /// Rows in the table before anything is measured.
    pub rows: u64,
    /// Rounds for each setting.
    pub rounds: usize,
    /// How long each measurement takes at least.
    pub seconds: u32,
    /// Generator threads.
    pub threads: usize,
    /// Connections of every load, instead of its own number.
    pub connections: Option<usize>,
    /// `NAME`, or `NAME=VALUE` for a value other than the default; all that are listed here without.
    pub settings: Vec<String>,
    /// The loads, instead of those that the settings are about.
    pub loads: Vec<Load>,
}

/// The load that keeps the stack busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Load {
    /// Creates on 64 connections, right after a checkpoint.
    Create,
    /// Finds by id on 64 connections.
    Find,
    /// Counts on 64 connections.
    Count,
    /// Searches of every class on 32 connections.
    Search,
    /// The same right after a restart, when every page comes from the disk.
    Cold,
}
