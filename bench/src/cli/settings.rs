//! `settings`: each setting of the stack beside its default.

use std::path::PathBuf;

use clap::Args;
use warrior_bench::settings::{Load, SettingsOptions, settings};
use warrior_load::exit::Exit;
use warrior_load::output::say;
use warrior_load::process::{raise_descriptor_limit, stop_on_interrupt};
use warrior_load::stack::server_program;

use super::generator_threads::generator_threads;

#[derive(Args)]
pub(crate) struct SettingsArgs {
    /// The server's program [default: the one beside this program]
    #[arg(long)]
    server: Option<PathBuf>,
    /// Rows in the table before anything is measured
    #[arg(long, default_value_t = 200_000)]
    rows: u64,
    /// How often each setting is tried
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each measurement takes; settings that need longer to show take longer
    #[arg(long, default_value_t = 2)]
    seconds: u32,
    /// Generator threads [default: one for each core, at most 4]
    #[arg(long)]
    threads: Option<usize>,
    /// Connections of every load [default: 64, for searches 32]
    #[arg(long)]
    connections: Option<usize>,
    /// These settings alone; NAME=VALUE compares with this value instead of the default
    #[arg(long = "setting", value_delimiter = ',', value_name = "NAME[=VALUE]")]
    settings: Vec<String>,
    /// These loads, instead of those that a setting is about
    #[arg(long = "load", value_delimiter = ',', value_enum)]
    loads: Vec<Load>,
}

impl SettingsArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        raise_descriptor_limit();
        let options = SettingsOptions {
            server: std::path::absolute(server_program(self.server)?)?,
            rows: self.rows,
            rounds: self.rounds,
            seconds: self.seconds,
            threads: self.threads.unwrap_or_else(generator_threads).max(1),
            connections: self.connections,
            settings: self.settings,
            loads: self.loads,
        };
        let page = settings(&options, &stop_on_interrupt()?)?;
        say(format_args!("\n{page}"));
        Ok(Exit::Passed)
    }
}
