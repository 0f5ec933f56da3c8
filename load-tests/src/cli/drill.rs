//! `drill`: a stack is broken and judged, this program's own or one of compose.

use std::path::PathBuf;

use anyhow::{bail, ensure};
use clap::Args;
use warrior_load::drill::compose::{self, ComposeCampaign};
use warrior_load::drill::{Campaign, Drill, Length, Table, catalogue, run, write};
use warrior_load::exit::Exit;
use warrior_load::output::say;
use warrior_load::process::{raise_descriptor_limit, stop_on_interrupt};
use warrior_load::stack::{Programs, server_program};

/// Creates a second.
const RATE_QUICK: f64 = 200.0;
const RATE_FULL: f64 = 1_000.0;

#[derive(Args)]
pub(crate) struct DrillArgs {
    /// These drills alone, by their names [default: all]
    #[arg(
        long,
        value_name = "A1,B3",
        value_delimiter = ',',
        conflicts_with = "compose"
    )]
    only: Vec<String>,
    /// Not these
    #[arg(long, value_name = "C4", value_delimiter = ',', conflicts_with_all = ["compose", "only"])]
    without: Vec<String>,
    /// List the drills and end
    #[arg(long, exclusive = true)]
    list: bool,
    /// Minutes instead of an hour: fewer rounds, shorter faults
    #[arg(long)]
    quick: bool,
    /// Creates a second [default: 1000; 200 with --quick and with --compose]
    #[arg(long)]
    rate: Option<f64>,
    /// The server's program [default: the one beside this program]
    #[arg(long, conflicts_with = "compose")]
    server: Option<PathBuf>,
    /// Folder of PostgreSQL's programs [default: the newest that the machine has]
    #[arg(long, value_name = "DIR", conflicts_with = "compose")]
    postgres_bin: Option<PathBuf>,
    /// PgBouncer's program [default: the machine's]
    #[arg(long, value_name = "FILE", conflicts_with = "compose")]
    pgbouncer: Option<PathBuf>,
    /// HAProxy's program, 3.0 or newer [default: the machine's]
    #[arg(long, value_name = "FILE", conflicts_with = "compose")]
    haproxy: Option<PathBuf>,
    /// Kill, stop and restart each service of a compose stack that serves this API, instead of a stack of one's own
    #[arg(long)]
    compose: bool,
    /// Its project; nothing else is touched [default: the one of this folder, as compose says]
    #[arg(long, requires = "compose")]
    project: Option<String>,
    /// These services alone [default: all that run]
    #[arg(long, value_delimiter = ',', requires = "compose")]
    services: Vec<String>,
    /// Where its API is [default: where it publishes port 5001]
    #[arg(long, requires = "compose")]
    url: Option<String>,
    /// Where README.md, drills.json and the ledgers of broken promises go
    #[arg(long, default_value = "load-results/drills")]
    out: PathBuf,
}

impl DrillArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        if self.list {
            for drill in catalogue() {
                say(format_args!("{:14} {}", drill.id, drill.fault));
            }
            return Ok(Exit::Passed);
        }
        let length = if self.quick {
            Length::Quick
        } else {
            Length::Full
        };
        let rate = self.rate.unwrap_or(match (self.compose, length) {
            (false, Length::Full) => RATE_FULL,
            _ => RATE_QUICK,
        });
        ensure!(
            rate.is_finite() && rate >= 1.0,
            "--rate {rate}: want 1 or more"
        );
        raise_descriptor_limit();
        let stop = stop_on_interrupt()?;
        let directory = self.out.clone();
        let table = if self.compose {
            compose::run(&self.compose_campaign(length, rate), &stop)?
        } else {
            run(&self.campaign(length, rate)?, &stop)?
        };
        let exit = told(&table);
        Ok(exit.with_files(write(&directory, &table)))
    }

    fn campaign(self, length: Length, rate: f64) -> anyhow::Result<Campaign> {
        let command = command();
        let drills = chosen(&self.only, &self.without)?;
        Ok(Campaign {
            programs: Programs {
                server: std::path::absolute(server_program(self.server)?)?,
                postgres: self.postgres_bin,
                pooler: self.pgbouncer,
                haproxy: self.haproxy,
            },
            is_whole: drills.len() == catalogue().len(),
            drills,
            length,
            rate,
            directory: self.out,
            command,
        })
    }

    fn compose_campaign(self, length: Length, rate: f64) -> ComposeCampaign {
        ComposeCampaign {
            project: self.project,
            services: self.services,
            url: self.url,
            length,
            rate,
            directory: self.out,
            command: command(),
        }
    }
}

/// The drills that were asked for, in the order of the catalogue.
fn chosen(only: &[String], without: &[String]) -> anyhow::Result<Vec<&'static Drill>> {
    for name in only.iter().chain(without) {
        if !catalogue().iter().any(|drill| drill.id == name) {
            bail!("there is no drill {name}; `warrior-load drill --list` names them");
        }
    }
    let wanted = |drill: &&Drill| {
        let named = |names: &[String]| names.iter().any(|name| name == drill.id);
        (only.is_empty() || named(only)) && !named(without)
    };
    let drills: Vec<_> = catalogue().iter().filter(wanted).collect();
    ensure!(!drills.is_empty(), "--without leaves no drill");
    Ok(drills)
}

/// The command line as it was typed, with the program's name alone.
fn command() -> String {
    let words = std::env::args().skip(1);
    let words: Vec<String> = std::iter::once("warrior-load".to_owned())
        .chain(words)
        .collect();
    words.join(" ")
}

/// Says the sum, and how the campaign ended.
fn told(table: &Table) -> Exit {
    let (total, exit) = (table.total(), table.exit());
    for missed in table.missed() {
        say(format_args!("missed: {missed}"));
    }
    say(format_args!(
        "{exit}: {} drills, {} kills, lost {} of {} acknowledged, {} of {} unknown outcomes settled",
        table.rows.len(),
        total.kills,
        total.lost,
        total.acknowledged,
        total.unknown_settled,
        total.unknown_creates
    ));
    exit
}
