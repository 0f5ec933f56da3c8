//! `completions` and `manual`: generated from the command line, so neither can lag behind it.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use warrior_load::exit::Exit;

use super::Cli;

#[derive(Args)]
pub(crate) struct CompletionsArgs {
    /// The shell that will read them
    shell: Shell,
}

#[derive(Args)]
pub(crate) struct ManualArgs {
    /// Folder for the pages, made where it is missing; pages of the same names are replaced
    folder: PathBuf,
}

impl CompletionsArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        // The generator panics where it cannot write; memory takes everything.
        let mut text = Vec::new();
        let mut command = Cli::command();
        clap_complete::generate(self.shell, &mut command, "warrior-load", &mut text);
        // For bash the hyphen of the program's name becomes one thing where words are read and another where they are
        // looked up (clap #6421), so nothing after a command would be completed.
        let text = String::from_utf8(text)?.replace("warrior__subcmd__load", "warrior__load");
        let mut out = std::io::stdout().lock();
        (out.write_all(text.as_bytes()).and_then(|()| out.flush()))
            .context("standard output does not take the completions")?;
        Ok(Exit::Passed)
    }
}

impl ManualArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        fs::create_dir_all(&self.folder)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), &self.folder))
            .with_context(|| format!("{} does not take the manual pages", self.folder.display()))?;
        Ok(Exit::Passed)
    }
}
