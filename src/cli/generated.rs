//! `warrior-api completions` and `warrior-api manual`: generated from the command line, so neither can lag behind it.

use std::fs;
use std::io::Write;

use anyhow::Context;
use clap::CommandFactory;
use warrior_api::config::{Cli, CompletionsArgs, ManualArgs};

pub(super) fn print_completions(args: &CompletionsArgs) -> anyhow::Result<()> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    // The generator panics where it cannot write; memory takes everything.
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command, &name, &mut text);
    // For bash the hyphen of the program's name becomes one thing where words are read and another where they are looked
    // up (clap #6421), so nothing after a command would be completed.
    let (looked_up, read) = (name.replace('-', "__subcmd__"), name.replace('-', "__"));
    let text = String::from_utf8(text)?.replace(&looked_up, &read);
    let mut out = std::io::stdout().lock();
    (out.write_all(text.as_bytes()).and_then(|()| out.flush()))
        .context("standard output does not take the completions")
}

pub(super) fn write_manual(args: &ManualArgs) -> anyhow::Result<()> {
    let folder = &args.folder;
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .with_context(|| format!("{} does not take the manual pages", folder.display()))
}
