//! The arguments of every command that sends load, and what is done with its result.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use warrior_load::database::DatabaseAccess;
use warrior_load::live::View;
use warrior_load::output::say;
use warrior_load::process::raise_descriptor_limit;
use warrior_load::profile::{Overrides, Profile};
use warrior_load::report;
use warrior_load::result::RunResult;
use warrior_load::run::{RunConfig, run};
use warrior_load::target::Target;

/// Direct access to the database, as two flags.
#[derive(Args, Clone)]
pub(super) struct DatabaseArgs {
    /// Direct connection for verification: `host=... port=... user=... dbname=...`
    #[arg(long)]
    postgres: Option<String>,
    /// A file with its password
    #[arg(long)]
    postgres_password_file: Option<PathBuf>,
}

/// How load is sent and where results go.
#[derive(Args, Clone)]
pub(super) struct LoadArgs {
    /// Closed mode: this many connections, each waiting for its answer
    #[arg(long)]
    pub(super) connections: Option<usize>,
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
    pub(super) lateness_max: Option<Duration>,
    /// Where the ledger and the results go
    #[arg(long, default_value = "load-results")]
    pub(super) out: PathBuf,
    #[command(flatten)]
    database: DatabaseArgs,
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

impl DatabaseArgs {
    pub(super) fn access(&self) -> Option<DatabaseAccess> {
        self.postgres.as_ref().map(|connection| DatabaseAccess {
            connection: connection.clone(),
            password_file: self.postgres_password_file.clone(),
        })
    }
}

impl LoadArgs {
    /// The configuration of a run of this profile.
    pub(super) fn config(
        &self,
        profile: Profile,
        url: &str,
        verify: bool,
    ) -> anyhow::Result<RunConfig> {
        raise_descriptor_limit();
        Ok(RunConfig {
            profile,
            target: Target::parse(url)?,
            overrides: self.overrides(),
            directory: self.out.clone(),
            database: self.database.access(),
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

    pub(super) fn overrides(&self) -> Overrides {
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

    /// Runs, prints the verdict, and writes the files.
    pub(super) fn run_and_report(
        &self,
        config: &RunConfig,
        stop: &Arc<AtomicBool>,
    ) -> anyhow::Result<RunResult> {
        let mut result = run(config, stop, self.view(stop))?;
        say(format_args!("{}", report::verdict_lines(&result)));
        report::reasons(&result)
            .iter()
            .for_each(|reason| say(format_args!("  {reason}")));
        let written = report::write(&result, &config.directory)
            .map(|files| say(format_args!("report: {}", files.html.display())));
        result.exit = result.exit.with_files(written);
        Ok(result)
    }
}
