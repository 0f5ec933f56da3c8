//! Flags of the commands whose output follows from the command line: completions and manual pages. A leaf.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Flags of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell that will read them
    pub shell: Shell,
}

/// Flags of `manual`.
#[derive(Debug, Args)]
pub struct ManualArgs {
    /// Folder for the pages, made where it is missing; pages of the same names are replaced
    pub folder: PathBuf,
}
