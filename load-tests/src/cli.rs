//! The command line: one file a command.

mod calibrate;
mod capacity;
mod compare;
mod control;
mod demo_lost;
mod drill;
mod fuzz;
mod generated;
mod load_args;
mod rehearse;
mod report;
mod reproduce;
mod run;
mod schema;
mod stress;
mod sweep_page;
mod tune;
mod verify;

use clap::{Parser, Subcommand};
use warrior_load::exit::Exit;

use self::calibrate::CalibrateArgs;
use self::capacity::CapacityArgs;
use self::compare::CompareArgs;
use self::control::ControlArgs;
use self::demo_lost::DemoLostArgs;
use self::drill::DrillArgs;
use self::fuzz::FuzzArgs;
use self::generated::{CompletionsArgs, ManualArgs};
use self::rehearse::RehearseArgs;
use self::report::ReportArgs;
use self::reproduce::ReproduceArgs;
use self::run::RunArgs;
use self::stress::StressArgs;
use self::sweep_page::SweepPageArgs;
use self::tune::TuneArgs;
use self::verify::VerifyArgs;

const EXIT_CODES: &str = "Exit codes:
  0  passed
  1  usage: wrong arguments, profile or file; or results that cannot be written
  2  the target cannot be reached
  3  a threshold was missed, no rate holds the objective, nothing was answered as prescribed, or a result was not reproduced
  4  compare: B is worse than A
  5  a promise was broken: an acknowledged write is lost or altered, or a refused one stored; fuzz: a crash, a panic, or an
     answer that is none
  6  INVALID: the run says nothing about the server";

/// A load generator that sends on time, knows what must come back, and proves what was stored.
#[derive(Parser)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run a profile, or one request at a given rate, and judge the answers
    Run(Box<RunArgs>),
    /// Check a ledger against the database: by HTTP, and directly with --postgres
    Verify(VerifyArgs),
    /// Find the highest rate at which a profile holds an objective, and what ends there
    Capacity(Box<CapacityArgs>),
    /// Alternate two targets or configurations and say which is better
    Compare(Box<CompareArgs>),
    /// Run a stored result again and say whether it was reproduced
    Reproduce(Box<ReproduceArgs>),
    /// Start an ephemeral stack, run a profile against it, verify, and say the verdict
    Stress(Box<StressArgs>),
    /// Find the smallest sizes of workers, batches and PgBouncer's pool that are as good as the best
    Tune(Box<TuneArgs>),
    /// The negative control: a cluster made to lose writes, killed hard; the ledger must notice
    Control(ControlArgs),
    /// hey and this tool beside each other, against a database that loses what it has acknowledged
    DemoLost(DemoLostArgs),
    /// Break a stack under load, part by part, and judge what every answer promised
    Drill(Box<DrillArgs>),
    /// Requests that no client should send, changed at random from a seed, against a throw-away stack
    Fuzz(FuzzArgs),
    /// From a DuckDB file to PostgreSQL and back, on a throw-away stack, and how long clients would wait
    Rehearse(RehearseArgs),
    /// Hold the generator against a server whose every delay is known, on this machine
    Calibrate(CalibrateArgs),
    /// Write the Markdown and HTML of a stored result again
    Report(ReportArgs),
    /// Write the page of what scripts/compose-sweep has measured
    SweepPage(SweepPageArgs),
    /// Print the JSON Schema of the result file
    Schema,
    /// Print the completions of a shell
    Completions(CompletionsArgs),
    /// Write the manual pages, one for each command
    Manual(ManualArgs),
}

impl Command {
    pub(crate) fn execute(self) -> anyhow::Result<Exit> {
        match self {
            Command::Run(args) => args.execute(),
            Command::Verify(args) => args.execute(),
            Command::Capacity(args) => args.execute(),
            Command::Compare(args) => args.execute(),
            Command::Reproduce(args) => args.execute(),
            Command::Stress(args) => args.execute(),
            Command::Tune(args) => args.execute(),
            Command::Control(args) => args.execute(),
            Command::DemoLost(args) => args.execute(),
            Command::Drill(args) => args.execute(),
            Command::Fuzz(args) => args.execute(),
            Command::Rehearse(args) => args.execute(),
            Command::Calibrate(args) => args.execute(),
            Command::Report(args) => args.execute(),
            Command::SweepPage(args) => args.execute(),
            Command::Schema => schema::execute(),
            Command::Completions(args) => args.execute(),
            Command::Manual(args) => args.execute(),
        }
    }
}
