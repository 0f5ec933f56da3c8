//! The arguments of every command that sends load, and what is done with its result.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use serde::Serialize;
use warrior_load::database::DatabaseAccess;
use warrior_load::live::View;
use warrior_load::output::{print_document, reserve_for_document, say};
use warrior_load::process::raise_descriptor_limit;
use warrior_load::profile::{Overrides, Profile};
use warrior_load::report;
use warrior_load::result::RunResult;
use warrior_load::run::{RunConfig, run};
use warrior_load::target::Target;
use warrior_load::tls::Trust;

/// Direct access to the database, as two flags.
#[derive(Args, Clone)]
pub(super) struct DatabaseArgs {
    /// Direct connection for verification: `host=... port=... user=... dbname=...`
    #[arg(long)]
    postgres: Option<String>,
    /// A file with its password
    #[arg(long, requires = "postgres")]
    postgres_password_file: Option<PathBuf>,
}

/// Whose certificates are trusted where a URL is https.
#[derive(Args, Clone)]
pub(super) struct TrustArgs {
    /// PEM file of the authority that signed the target's certificate; the system's authorities without
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca: Option<PathBuf>,
    /// Accept whatever certificate the target has; the report says so
    #[arg(long)]
    insecure: bool,
}

impl TrustArgs {
    /// The choice of the flags; `None` without any.
    pub(super) fn given(&self) -> Option<Trust> {
        match &self.ca {
            Some(ca) => Some(Trust::Ca(ca.clone())),
            None => self.insecure.then_some(Trust::Anyone),
        }
    }

    /// A target that is trusted by the flags.
    pub(super) fn target(&self, url: &str) -> anyhow::Result<Target> {
        Target::trusting(url, &self.given().unwrap_or_default())
    }

    /// Asks whether the flags have an effect on any of the targets.
    pub(super) fn check<'a>(
        &self,
        targets: impl IntoIterator<Item = &'a Target>,
    ) -> anyhow::Result<()> {
        let is_tls = targets.into_iter().any(|target| target.tls.is_some());
        ensure!(
            is_tls || self.given().is_none(),
            "--ca and --insecure have no effect: no URL begins with https://"
        );
        Ok(())
    }
}

/// How load is sent.
#[derive(Args, Clone)]
pub(super) struct SendArgs {
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
}

/// How the load of a search is sent: in the open model, at rates of the search's own.
#[derive(Args, Clone)]
pub(super) struct TrialArgs {
    /// Draws everything random; a new one each time without
    #[arg(long)]
    seed: Option<u64>,
    /// Generator threads
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

/// The longest search, and the longest trial of one.
const SEARCH_MAX: Duration = Duration::from_hours(7 * 24);

/// Reads a length of time of a search.
pub(super) fn search_time(text: &str) -> anyhow::Result<Duration> {
    let length = humantime::parse_duration(text)?;
    ensure!(
        length <= SEARCH_MAX,
        "want at most {}",
        humantime::format_duration(SEARCH_MAX)
    );
    Ok(length)
}

/// How a run is judged and where its results go.
#[derive(Args, Clone)]
pub(super) struct OutArgs {
    /// When 1 % of the requests begin later than this after their moment, the run is INVALID;
    /// the profile's limit (5ms) without
    #[arg(long, value_parser = humantime::parse_duration)]
    pub(super) lateness_max: Option<Duration>,
    /// Where the ledger and the results go
    #[arg(long, default_value = "load-results")]
    pub(super) out: PathBuf,
}

/// A document on standard output.
#[derive(Args, Clone)]
pub(super) struct DocumentArgs {
    /// The result as JSON on standard output; everything else goes to standard error
    #[arg(long)]
    json: bool,
}

impl DocumentArgs {
    /// To be called before anything is said.
    pub(super) fn reserve(&self) {
        if self.json {
            reserve_for_document();
        }
    }

    /// Prints the document where it was asked for.
    pub(super) fn print(&self, document: &impl Serialize) -> anyhow::Result<()> {
        if self.json {
            print_document(document)?;
        }
        Ok(())
    }
}

/// What is looked at besides the answers, and how a run is shown.
#[derive(Args, Clone)]
pub(super) struct WatchArgs {
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
    #[command(flatten)]
    document: DocumentArgs,
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

/// A seed where none is given.
fn any_seed() -> u64 {
    // 52 bits are exact in every reader of JSON.
    uuid::Uuid::new_v4().as_u64_pair().0 >> 12
}

impl SendArgs {
    /// The flags that send this profile as these arguments say, but for the seed.
    pub(super) fn flags(&self, profile: &str) -> String {
        let mut flags = format!(" --profile {profile}");
        if self.speed != 1.0 {
            flags += &format!(" --speed {}", self.speed);
        }
        if let Some(connections) = self.connections {
            flags += &format!(" --connections {connections}");
        }
        if self.threads != 1 {
            flags += &format!(" --threads {}", self.threads);
        }
        flags
    }

    /// Choices of the command line; `lateness_max` is that of [`OutArgs`].
    pub(super) fn overrides(&self, lateness_max: Option<Duration>) -> Overrides {
        Overrides {
            speed: self.speed,
            threads: self.threads,
            connections: self.connections,
            lateness_max,
            ..Overrides::seeded(self.seed.unwrap_or_else(any_seed))
        }
    }
}

impl TrialArgs {
    /// Choices of the command line; `lateness_max` is that of [`OutArgs`].
    pub(super) fn overrides(&self, lateness_max: Option<Duration>) -> Overrides {
        Overrides {
            threads: self.threads,
            lateness_max,
            ..Overrides::seeded(self.seed.unwrap_or_else(any_seed))
        }
    }
}

impl WatchArgs {
    /// The configuration of a run of this profile.
    pub(super) fn config(
        &self,
        profile: Profile,
        target: Target,
        overrides: Overrides,
        out: &OutArgs,
    ) -> anyhow::Result<RunConfig> {
        raise_descriptor_limit();
        // The server is one: its other listener is trusted as this one is.
        let trust = target.tls.as_ref().map(|tls| tls.trust.clone());
        let admin = |url: &String| Target::trusting(url, &trust.unwrap_or_default());
        Ok(RunConfig {
            profile,
            target,
            overrides,
            directory: out.out.clone(),
            database: self.database.access(),
            verify: false,
            admin: (self.admin.as_ref().map(admin).transpose()).context("--admin")?,
            fsync_directory: self.fsync_dir.clone(),
        })
    }

    fn view(&self, stop: &Arc<AtomicBool>) -> View {
        let no_color = self
            .no_color
            .as_deref()
            .is_some_and(|value| !value.is_empty());
        View::choose(self.no_tui || self.document.json, no_color, stop)
    }

    /// Runs, prints the verdict, and writes the files.
    pub(super) fn run_and_report(
        &self,
        config: &RunConfig,
        stop: &Arc<AtomicBool>,
    ) -> anyhow::Result<RunResult> {
        self.document.reserve();
        let mut result = run(config, stop, self.view(stop))?;
        say(format_args!("{}", report::verdict_lines(&result)));
        report::reasons(&result)
            .iter()
            .for_each(|reason| say(format_args!("  {reason}")));
        let written = report::write(&result, &config.directory)
            .map(|files| say(format_args!("report: {}", files.html.display())));
        let printed = self.document.print(&result);
        result.exit = result.exit.with_files(written).with_files(printed);
        Ok(result)
    }
}
