//! `tune`: sizes by measurement, and `tune undo`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use clap::{Args, Subcommand};
use warrior_load::exit::Exit;
use warrior_load::output::say;
use warrior_load::process::{raise_descriptor_limit, stop_on_interrupt};
use warrior_load::profile::{Profile, parse_slo};
use warrior_load::report::{tuning_lines, write_tuning};
use warrior_load::shell::COMMAND_TIMEOUT;
use warrior_load::stack::server_program;
use warrior_load::tune::{Files, NamedStack, TuneSetup, TunedStack, tune, undo};

use super::load_args::{DatabaseArgs, DocumentArgs, OutArgs, TrialArgs, TrustArgs, search_time};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct TuneArgs {
    #[command(subcommand)]
    action: Option<TuneAction>,
    #[command(flatten)]
    named: NamedArgs,
    /// The server's program for the throw-away stack [default: the one beside this program]
    #[arg(long, conflicts_with = "url")]
    server: Option<PathBuf>,
    /// The .env whose sizes are tuned; it may be absent
    #[arg(long, default_value = ".env")]
    env: PathBuf,
    /// The pgbouncer.ini whose default_pool_size is tuned; the .env gives it without
    #[arg(long)]
    pgbouncer_ini: Option<PathBuf>,
    /// The postgresql.conf whose max_connections must suffice
    #[arg(long)]
    postgresql_conf: Option<PathBuf>,
    /// Write what is proposed, with a copy of each file beside it
    #[arg(long)]
    apply: bool,
    /// The objective that says where the knee is; the load is near it
    #[arg(long, default_value = "p99 < 50ms, success >= 99.9%")]
    slo: String,
    /// The objective is p99 at this rate, instead of near the knee
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<f64>,
    /// Profile: its requests in the proportions of their greatest rates
    #[arg(long, default_value = "steady-200")]
    profile: String,
    /// How long all trials may take; verifying their ledger comes after
    #[arg(long, default_value = "10m", value_parser = search_time)]
    budget: Duration,
    /// How long a trial is measured, after a second of warm-up
    #[arg(long, default_value = "4s", value_parser = search_time)]
    step: Duration,
    /// Added to each round trip between PgBouncer and PostgreSQL of the throw-away stack
    #[arg(long, hide = true, conflicts_with = "url", value_parser = humantime::parse_duration)]
    database_delay: Option<Duration>,
    /// Processors that PostgreSQL of the throw-away stack may use
    #[arg(long, hide = true, conflicts_with = "url")]
    database_cpus: Option<f64>,
    #[command(flatten)]
    trial: TrialArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    document: DocumentArgs,
}

/// A stack of one's own instead of a throw-away one.
#[derive(Args)]
struct NamedArgs {
    /// Base URL of the API of a stack that runs; a throw-away stack without
    #[arg(long, requires = "apply_command")]
    url: Option<String>,
    /// Base URL of its admin listener: /ready, and what the server waited for
    #[arg(long, requires = "url")]
    admin: Option<String>,
    /// Shell command that makes the changed files count, as in `docker compose up -d`; it runs before each change is
    /// measured
    #[arg(long, requires = "url")]
    apply_command: Option<String>,
    /// How long that command may take; then it is ended, and the files are given back [default: 5m]
    #[arg(long, requires = "apply_command", value_parser = search_time)]
    apply_timeout: Option<Duration>,
}

#[derive(Subcommand)]
enum TuneAction {
    /// Give back what the files held before the proposal that was applied, byte for byte
    Undo(UndoArgs),
}

#[derive(Args)]
struct UndoArgs {
    /// The folder that `tune --apply` wrote its results to
    #[arg(long, default_value = "load-results")]
    out: PathBuf,
}

impl TuneArgs {
    pub(super) fn execute(self) -> anyhow::Result<Exit> {
        if let Some(TuneAction::Undo(args)) = &self.action {
            for path in undo(&args.out)? {
                say(format_args!("as it was: {}", path.display()));
            }
            say(format_args!("start the stack again for it to count"));
            return Ok(Exit::Passed);
        }
        self.document.reserve();
        raise_descriptor_limit();
        let profile = Profile::load(&self.profile)?.with_slo(parse_slo(&self.slo)?)?;
        if let Some(rate) = self.rate {
            ensure!(
                rate > 0.0 && rate.is_finite(),
                "--rate {rate}: want a number above 0"
            );
        }
        let stack = self.stack()?;
        let stop = stop_on_interrupt()?;
        let directory = self.out.out.clone();
        let setup = TuneSetup {
            stack,
            files: Files {
                env: self.env,
                pgbouncer_ini: self.pgbouncer_ini,
                postgresql_conf: self.postgresql_conf,
            },
            profile,
            rate: self.rate,
            overrides: self.trial.overrides(self.out.lateness_max),
            step: self.step,
            budget: self.budget,
            apply: self.apply,
            directory: directory.clone(),
        };
        let tuning = tune(setup, &stop)?;
        say(format_args!("\n{}", tuning_lines(&tuning)));
        let written = write_tuning(&tuning, &directory)
            .map(|page| say(format_args!("report: {}", page.display())));
        let printed = self.document.print(&tuning);
        Ok(tuning.exit.with_files(written).with_files(printed))
    }

    fn stack(&self) -> anyhow::Result<TunedStack> {
        let target = |url: &String| self.trust.target(url);
        let given = self.named.url.as_ref().map(target).transpose()?;
        self.trust.check(given.as_ref())?;
        let database = self.database.access();
        match (given, self.named.apply_command.clone()) {
            (Some(target), Some(command)) => Ok(TunedStack::Named(Box::new(NamedStack {
                target,
                admin: self
                    .named
                    .admin
                    .as_ref()
                    .map(|url| self.trust.target(url))
                    .transpose()?,
                database,
                command,
                timeout: self.named.apply_timeout.unwrap_or(COMMAND_TIMEOUT),
            }))),
            _ => {
                ensure!(
                    database.is_none(),
                    "--postgres has no effect without --url: a throw-away stack has a database of its own"
                );
                Ok(TunedStack::Throwaway {
                    server: server_program(self.server.clone())?,
                    delay: self.database_delay,
                    cpus: self.database_cpus,
                })
            }
        }
    }
}
