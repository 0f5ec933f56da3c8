//! `bench`: throughput, latency and CPU time beside references.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::Args;
use warrior_bench::bench::bench;
use warrior_bench::fill::Contents;
use warrior_bench::options::{BenchOptions, Part};
use warrior_bench::report;
use warrior_load::exit::Exit;
use warrior_load::output::say;
use warrior_load::process::{raise_descriptor_limit, stop_on_interrupt};
use warrior_load::stack::{program_beside, server_program};

use super::generator_threads::generator_threads;

#[derive(Args)]
pub(crate) struct BenchArgs {
    /// The server's program [default: the one beside this program]
    #[arg(long)]
    server: Option<PathBuf>,
    /// Rows in the table before anything is measured
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// The program of the peers [default: the one beside this program]
    #[arg(long)]
    peers: Option<PathBuf>,
    /// Tables: the first one for everything, each further one for searches by class alone
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = [Contents::Laboratory])]
    tables: Vec<Contents>,
    /// Numbers of connections
    #[arg(long, value_delimiter = ',', default_values_t = [1, 64])]
    connections: Vec<usize>,
    /// How often each figure is taken; medians come from at least five
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each time
    #[arg(long, default_value_t = 1)]
    seconds: u32,
    /// Generator threads [default: one for each core, at most 4]
    #[arg(long)]
    threads: Option<usize>,
    /// These parts alone, with the references that belong to them
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Part>,
    /// Beside it the plain schema (`schema apply --plain`), on a stack of its own, in turn: creates, finds, counts,
    /// searches and classes
    #[arg(long)]
    plain: bool,
    /// One round of one second on 10,000 rows: shows that it works, and no figure to believe
    #[arg(long, conflicts_with_all = ["rows", "rounds", "seconds"])]
    quick: bool,
    /// Where the results go [default: bench/results/DAY-MACHINE]
    #[arg(long)]
    out: Option<PathBuf>,
}

impl BenchArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        raise_descriptor_limit();
        let (rows, rounds, seconds) = if self.quick {
            (10_000, 1, 1)
        } else {
            (self.rows, self.rounds, self.seconds)
        };
        let mut only = self.only;
        if only.is_empty() {
            only = <Part as clap::ValueEnum>::value_variants().to_vec();
        }
        only.sort_unstable();
        only.dedup();
        let peers = match only.contains(&Part::Peers) {
            true => std::path::absolute(program_beside("warrior-peers", self.peers, "--peers")?)?,
            false => self.peers.unwrap_or_default(),
        };
        let options = BenchOptions {
            server: std::path::absolute(server_program(self.server)?)?,
            rows,
            peers,
            tables: self.tables,
            connections: self.connections,
            rounds,
            seconds,
            threads: self.threads.unwrap_or_else(generator_threads).max(1),
            only,
            plain: self.plain,
        };
        let stop = stop_on_interrupt()?;
        let result = match bench(&options, &stop) {
            Err(_) if stop.load(Ordering::Relaxed) => {
                say(format_args!("interrupted; nothing was kept"));
                return Ok(Exit::Invalid);
            }
            result => result?,
        };
        say(format_args!("\n{}", report::summary(&result)));
        let written = report::write(&result, self.out.as_deref())
            .map(|files| say(format_args!("{}", files.markdown.display())));
        let different = result
            .searches
            .iter()
            .flat_map(|state| &state.classes)
            .any(|class| !class.checked.different.is_empty());
        let exit = if different { Exit::Lost } else { Exit::Passed };
        Ok(exit.with_files(written))
    }
}
