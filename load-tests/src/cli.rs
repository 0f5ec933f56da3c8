//! Arguments, and what the commands share.

mod against;
mod measure;
mod prove;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use warrior_load::database::DatabaseAccess;
use warrior_load::exit::Exit;
use warrior_load::live::View;
use warrior_load::output::say;
use warrior_load::process::raise_descriptor_limit;
use warrior_load::profile::{Overrides, Profile};
use warrior_load::report;
use warrior_load::result::RunResult;
use warrior_load::run::{Order, run};
use warrior_load::target::Target;

use self::against::{CompareArgs, ReproduceArgs};
use self::measure::RunArgs;
use self::prove::{ControlArgs, StressArgs, VerifyArgs};

const EXIT_CODES: &str = "Exit codes:
  0  passed
  1  usage: wrong arguments, profile or file; or results that cannot be written
  2  the target cannot be reached
  3  a threshold was missed, nothing was answered as prescribed, or a result was not reproduced
  4  compare: B is worse than A
  5  a promise was broken: an acknowledged write is lost or altered, or a refused one stored
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
    /// Alternate two targets or configurations and say which is better
    Compare(Box<CompareArgs>),
    /// Run a stored result again and say whether it was reproduced
    Reproduce(Box<ReproduceArgs>),
    /// Start an ephemeral stack, run a profile against it, verify, and say the verdict
    Stress(Box<StressArgs>),
    /// The negative control: a cluster told to lose writes, killed hard; the ledger must notice
    Control(ControlArgs),
    /// Write the Markdown and HTML of a stored result again
    Report(ReportArgs),
    /// Print the JSON Schema of the result file
    Schema,
}

/// What every command that sends load takes.
#[derive(Args, Clone)]
pub(crate) struct Common {
    /// Closed mode: this many connections, each waiting for its answer
    #[arg(long)]
    connections: Option<usize>,
    /// Draws everything random; a new one each time without
    #[arg(long)]
    seed: Option<u64>,
    /// Divide every length of time of the profile by this; rates stay
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Generator threads
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// When 1 % of the requests begin later than this after their moment, the run is INVALID;
    /// the profile's limit (5ms) without
    #[arg(long, value_parser = humantime::parse_duration)]
    lateness_max: Option<Duration>,
    /// Where the ledger and the results go
    #[arg(long, default_value = "load-results")]
    out: PathBuf,
    /// Direct connection for verification: `host=... port=... user=... dbname=...`
    #[arg(long)]
    postgres: Option<String>,
    /// A file with its password
    #[arg(long)]
    postgres_password_file: Option<PathBuf>,
    /// Base URL of the server's admin listener, for its /metrics
    #[arg(long)]
    admin: Option<String>,
    /// A directory on the database's disk: pg_test_fsync measures there before the run
    #[arg(long)]
    fsync_dir: Option<PathBuf>,
    /// Lines instead of the full-screen view
    #[arg(long)]
    no_tui: bool,
    /// The usual variable: any value but an empty one means lines without colour
    #[arg(long, env = "NO_COLOR", hide = true)]
    no_color: Option<String>,
}

#[derive(Args)]
pub(crate) struct ReportArgs {
    /// The JSON of a result
    result: PathBuf,
    /// Where the files go; beside the result without
    #[arg(long)]
    out: Option<PathBuf>,
}

impl Command {
    pub(crate) fn execute(self) -> anyhow::Result<Exit> {
        match self {
            Command::Run(args) => args.execute(),
            Command::Verify(args) => args.execute(),
            Command::Compare(args) => args.execute(),
            Command::Reproduce(args) => args.execute(),
            Command::Stress(args) => args.execute(),
            Command::Control(args) => args.execute(),
            Command::Report(args) => args.execute(),
            Command::Schema => {
                let schema = schemars::schema_for!(RunResult);
                say(format_args!("{}", serde_json::to_string_pretty(&schema)?));
                Ok(Exit::Passed)
            }
        }
    }
}

/// Runs, prints the verdict, and writes the files.
fn run_and_report(
    order: &Order,
    common: &Common,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<RunResult> {
    let mut result = run(order, stop, common.view(stop))?;
    say(format_args!("{}", report::verdict_lines(&result)));
    report::reasons(&result)
        .iter()
        .for_each(|reason| say(format_args!("  {reason}")));
    let written = report::write(&result, &order.directory)
        .map(|files| say(format_args!("report: {}", files.html.display())));
    result.exit = result.exit.with_files(written);
    Ok(result)
}

impl Common {
    /// The order of a run of this profile.
    fn order(&self, profile: Profile, url: &str, verify: bool) -> anyhow::Result<Order> {
        raise_descriptor_limit();
        Ok(Order {
            profile,
            target: Target::parse(url)?,
            overrides: self.overrides(),
            directory: self.out.clone(),
            database: access(self.postgres.as_ref(), self.postgres_password_file.as_ref()),
            verify,
            admin: self
                .admin
                .as_deref()
                .map(Target::parse)
                .transpose()
                .context("--admin")?,
            fsync_directory: self.fsync_dir.clone(),
        })
    }

    fn overrides(&self) -> Overrides {
        Overrides {
            // 52 bits are exact in every reader of JSON.
            seed: self
                .seed
                .unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0 >> 12),
            speed: self.speed,
            threads: self.threads,
            connections: self.connections,
            lateness_max: self.lateness_max,
            capacity: None,
        }
    }

    fn view(&self, stop: &Arc<AtomicBool>) -> View {
        let no_color = self
            .no_color
            .as_deref()
            .is_some_and(|value| !value.is_empty());
        View::choose(self.no_tui, no_color, stop)
    }
}

impl ReportArgs {
    fn execute(self) -> anyhow::Result<Exit> {
        let result = read_result(&self.result)?;
        let beside = self.result.parent().map(PathBuf::from).unwrap_or_default();
        say(format_args!("{}", report::verdict_lines(&result)));
        let files = report::write(&result, &self.out.unwrap_or(beside))?;
        say(format_args!("report: {}", files.html.display()));
        Ok(Exit::Passed)
    }
}

fn read_result(path: &std::path::Path) -> anyhow::Result<RunResult> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the result {}", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is not a result of this version", path.display()))
}

fn access(connection: Option<&String>, password_file: Option<&PathBuf>) -> Option<DatabaseAccess> {
    let password_file = password_file.cloned();
    connection.map(|connection| DatabaseAccess {
        connection: connection.clone(),
        password_file,
    })
}
