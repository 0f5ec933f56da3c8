//! Arguments and what each command does with them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use warrior_load::compare::{Finding, Side, compare, reproduce};
use warrior_load::control::{Trial, control};
use warrior_load::judge::{self, Exit};
use warrior_load::live::View;
use warrior_load::profile::{Overrides, Profile};
use warrior_load::result::RunResult;
use warrior_load::run::{DatabaseAccess, Order, run, verify_ledger};
use warrior_load::stress::Stack;
use warrior_load::target::Target;
use warrior_load::{ledger, report, run};

const EXIT_CODES: &str = "Exit codes:
  0  passed
  1  usage: wrong arguments, profile or file
  2  the target cannot be reached
  3  a threshold was missed, or a result was not reproduced
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

#[derive(Args)]
pub(crate) struct RunArgs {
    /// Base URL of the API with --profile; the whole URL of the request without
    #[arg(long)]
    url: String,
    /// lab, steady-200, smoke, spike, soak, peak, overload, or the path of a TOML file
    #[arg(long, conflicts_with_all = ["rate", "length", "method", "body", "body_file", "expect", "header", "fields_file", "thresholds"])]
    profile: Option<String>,
    #[command(flatten)]
    quick: Quick,
    #[command(flatten)]
    common: Common,
    /// Verify the ledger afterwards even if no threshold asks for it
    #[arg(long)]
    verify: bool,
}

/// One request instead of a profile.
#[derive(Args)]
struct Quick {
    /// Requests per second
    #[arg(long)]
    rate: Option<f64>,
    /// How long, as in 30s or 5m
    #[arg(long = "for", id = "length")]
    length: Option<String>,
    /// Method; POST when there is a body, else GET
    #[arg(long)]
    method: Option<String>,
    /// Body, with fields such as {{seq}}, {{uuid}}, {{int 1 9}}, {{letters 1 50}}
    #[arg(long, conflicts_with = "body_file")]
    body: Option<String>,
    /// The same from a file
    #[arg(long)]
    body_file: Option<PathBuf>,
    /// A file with one JSON object a line, whose keys are further fields
    #[arg(long)]
    fields_file: Option<PathBuf>,
    /// A header, as in `Content-Type: application/json`; repeatable
    #[arg(long)]
    header: Vec<String>,
    /// A status that counts as success; repeatable; any 2xx without
    #[arg(long)]
    expect: Vec<u16>,
    /// A condition such as `p99 < 50ms`; repeatable
    #[arg(long = "threshold", id = "thresholds")]
    thresholds: Vec<String>,
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
pub(crate) struct VerifyArgs {
    /// The ledger
    ledger: PathBuf,
    /// Base URL of the API; the ledger's own target without
    #[arg(long)]
    url: Option<String>,
    /// Direct connection: `host=... port=... user=... dbname=...`
    #[arg(long)]
    postgres: Option<String>,
    /// A file with its password
    #[arg(long)]
    postgres_password_file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct CompareArgs {
    /// Base URL of A, what is compared with
    #[arg(long)]
    a: String,
    /// Base URL of B, what is judged; A's without, when a configuration is switched
    #[arg(long)]
    b: Option<String>,
    /// Profile: each slice sends its scenarios at their greatest rate
    #[arg(long, default_value = "steady-200")]
    profile: String,
    /// Another profile for B
    #[arg(long)]
    b_profile: Option<String>,
    /// Shell command that switches to A's configuration before each of its slices
    #[arg(long)]
    before_a: Option<String>,
    /// The same for B
    #[arg(long)]
    before_b: Option<String>,
    /// Length of a slice
    #[arg(long, default_value = "10s", value_parser = humantime::parse_duration)]
    slice: Duration,
    /// Pairs of slices
    #[arg(long, default_value_t = 8)]
    pairs: usize,
    /// The figure that the verdict is about: rate, success, p50, p90, p99 or "service p50"
    #[arg(long, default_value = "p99")]
    decide: String,
    /// Differences under this many percent do not count
    #[arg(long, default_value_t = 2.0)]
    least: f64,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(crate) struct ReproduceArgs {
    /// The JSON of the stored result
    result: PathBuf,
    /// Another target than the stored one
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(crate) struct StressArgs {
    /// The server's binary
    #[arg(long, default_value = "target/release/warrior-api")]
    server: PathBuf,
    /// The profile
    #[arg(long, default_value = "lab")]
    profile: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(crate) struct ControlArgs {
    /// The server's binary
    #[arg(long, default_value = "target/release/warrior-api")]
    server: PathBuf,
    /// Where initdb, postgres and psql are
    #[arg(long, default_value = "/usr/lib/postgresql/15/bin")]
    programs: PathBuf,
    /// `off` must lose acknowledged writes, `on` must lose none
    #[arg(long, default_value = "off", value_parser = ["on", "off"])]
    synchronous_commit: String,
    /// How often
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Where the ledgers go
    #[arg(long, default_value = "load-results")]
    out: PathBuf,
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
                println!("{}", serde_json::to_string_pretty(&schema)?);
                Ok(Exit::Passed)
            }
        }
    }
}

impl RunArgs {
    fn execute(self) -> anyhow::Result<Exit> {
        let (profile, base) = match &self.profile {
            Some(name) => (Profile::load(name)?, self.url.clone()),
            None => self.quick.profile(&self.url, &self.common)?,
        };
        let order = self.common.order(profile, &base, self.verify)?;
        let stop = stop_on_interrupt()?;
        run_and_report(&order, &self.common, &stop).map(|result| result.exit)
    }
}

/// Runs, writes the files, and prints the verdict.
fn run_and_report(
    order: &Order,
    common: &Common,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<RunResult> {
    let result = run(order, stop, common.view(stop))?;
    let files = report::write(&result, &order.directory)?;
    println!("{}", report::verdict_lines(&result, &files.html));
    report::reasons(&result)
        .iter()
        .for_each(|reason| println!("  {reason}"));
    Ok(result)
}

impl Quick {
    /// A profile of one scenario, and the base that its path is below.
    fn profile(&self, url: &str, common: &Common) -> anyhow::Result<(Profile, String)> {
        let scheme_end = url.find("://").map_or(0, |at| at + 3);
        let path_at = url[scheme_end..]
            .find('/')
            .map_or(url.len(), |at| at + scheme_end);
        let path = if path_at == url.len() {
            "/"
        } else {
            &url[path_at..]
        };
        let length = self.length.clone().unwrap_or_else(|| "10s".to_owned());
        anyhow::ensure!(
            self.rate.is_some() || common.connections.is_some(),
            "give --rate N (open model), --connections N (closed model) or --profile NAME"
        );
        let mut headers = toml::Table::new();
        for header in &self.header {
            let (name, value) = header
                .split_once(':')
                .with_context(|| format!("--header `{header}`: want `Name: value`"))?;
            headers.insert(name.trim().to_owned(), value.trim().into());
        }
        let mut arrivals = toml::Table::new();
        arrivals.insert("rate".into(), self.rate.unwrap_or(1.0).into());
        arrivals.insert("for".into(), length.into());
        let mut scenario = toml::Table::new();
        scenario.insert("name".into(), "request".into());
        scenario.insert("path".into(), path.into());
        scenario.insert("headers".into(), headers.into());
        scenario.insert("arrivals".into(), vec![arrivals].into());
        let expect: Vec<i64> = self
            .expect
            .iter()
            .map(|status| i64::from(*status))
            .collect();
        scenario.insert("expect".into(), expect.into());
        let mut text = |name: &str, value: Option<String>| {
            value.map(|value| scenario.insert(name.to_owned(), value.into()))
        };
        text("method", self.method.clone());
        text("body", self.body.clone());
        text(
            "body_file",
            self.body_file
                .as_ref()
                .map(|path| path.display().to_string()),
        );
        text(
            "fields_file",
            self.fields_file
                .as_ref()
                .map(|path| path.display().to_string()),
        );
        let mut profile = toml::Table::new();
        profile.insert("name".into(), "quick".into());
        profile.insert("thresholds".into(), self.thresholds.clone().into());
        profile.insert("scenario".into(), vec![scenario].into());
        let source = toml::to_string(&profile)?;
        let profile = Profile::parse(&source, std::path::Path::new("."))?;
        Ok((profile, url[..path_at].to_owned()))
    }
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

impl CompareArgs {
    fn execute(self) -> anyhow::Result<Exit> {
        raise_descriptor_limit();
        let profile = Profile::load(&self.profile)?;
        let other = self.b_profile.as_deref().map(Profile::load).transpose()?;
        let a = Side::new(&self.a, &profile, self.slice, self.before_a)?;
        let url = self.b.as_deref().unwrap_or(&self.a);
        let b = Side::new(
            url,
            other.as_ref().unwrap_or(&profile),
            self.slice,
            self.before_b,
        )?;
        let decides = (self.decide.as_str(), self.least / 100.0);
        let overrides = self.common.overrides();
        let stop = stop_on_interrupt()?;
        let comparison = compare([&a, &b], &overrides, self.pairs, decides, &stop)?;
        judge::create_directory(&self.common.out)?;
        let name = format!("compare-{}", uuid::Uuid::now_v7());
        let file = |extension: &str| self.common.out.join(format!("{name}.{extension}"));
        std::fs::write(
            file("json"),
            serde_json::to_string_pretty(&comparison)? + "\n",
        )?;
        std::fs::write(file("md"), comparison.table())?;
        println!("\n{}report: {}", comparison.table(), file("md").display());
        Ok(match comparison.verdict {
            _ if !comparison.invalid.is_empty() => Exit::Invalid,
            Finding::Worse => Exit::Worse,
            Finding::Better | Finding::NoDifferenceShown => Exit::Passed,
        })
    }
}

impl ReproduceArgs {
    fn execute(self) -> anyhow::Result<Exit> {
        let stored = read_result(&self.result)?;
        let profile = Profile::parse(&stored.setup.profile_source, std::path::Path::new("."))
            .context("the stored profile cannot be read by this version")?;
        let url = self
            .url
            .clone()
            .unwrap_or_else(|| stored.setup.target.clone());
        let mut order = self
            .common
            .order(profile, &url, !stored.verification.is_empty())?;
        let setup = &stored.setup;
        order.overrides = Overrides {
            seed: setup.seed,
            speed: setup.speed,
            threads: setup.threads,
            connections: setup.connections,
            lateness_max: self.common.lateness_max,
            capacity: setup.capacity,
        };
        let stop = stop_on_interrupt()?;
        let new = run_and_report(&order, &self.common, &stop)?;
        let outcome = reproduce(&stored, &new);
        for row in &outcome.rows {
            println!(
                "{}: {:.3} of the stored figure (95 % interval {:.3} .. {:.3})",
                row.figure, row.ratio, row.interval.0, row.interval.1
            );
        }
        outcome
            .differences
            .iter()
            .for_each(|what| println!("differs: {what}"));
        println!(
            "{}",
            if outcome.reproduced {
                "REPRODUCED within noise"
            } else {
                "NOT REPRODUCED"
            }
        );
        Ok(match new.exit {
            Exit::Lost | Exit::Invalid => new.exit,
            _ if outcome.reproduced => Exit::Passed,
            _ => Exit::ThresholdMissed,
        })
    }
}

impl StressArgs {
    fn execute(self) -> anyhow::Result<Exit> {
        let profile = Profile::load(&self.profile)?;
        let stop = stop_on_interrupt()?;
        let stack = Stack::start(&self.server)?;
        let mut order = self.common.order(profile, &stack.api.url, true)?;
        order.admin = order.admin.or(stack.admin.clone());
        order.database = order.database.or(stack.database.clone());
        order.fsync_directory = order.fsync_directory.or(stack.data.clone());
        run_and_report(&order, &self.common, &stop).map(|result| result.exit)
    }
}

impl ControlArgs {
    fn execute(self) -> anyhow::Result<Exit> {
        judge::create_directory(&self.out)?;
        let trial = Trial {
            server: std::path::absolute(&self.server)?,
            programs: self.programs,
            synchronous_commit: self.synchronous_commit == "on",
            rounds: self.rounds,
            directory: self.out,
        };
        let verdicts = control(&trial, uuid::Uuid::new_v4().as_u64_pair().0 >> 12)?;
        let lost: u64 = verdicts.iter().map(|verdict| verdict.lost).sum();
        let rounds = verdicts.iter().filter(|verdict| verdict.lost > 0).count();
        println!("lost {lost} in {rounds} of {} rounds", verdicts.len());
        Ok(match (trial.synchronous_commit, lost) {
            (false, 0) => {
                println!("the control failed: losses were provoked and not one was found");
                Exit::Invalid
            }
            (true, 1..) => Exit::Lost,
            _ => Exit::Passed,
        })
    }
}

impl VerifyArgs {
    fn execute(self) -> anyhow::Result<Exit> {
        let (header, entries) = ledger::read(&self.ledger)?;
        let database = access(self.postgres.as_ref(), self.postgres_password_file.as_ref());
        let target = Target::parse(self.url.as_deref().unwrap_or(&header.target))?;
        let verdicts = match (&database, run::reach(&target)) {
            // The server may be gone by now; the table alone can still be judged.
            (Some(access), Err(_)) if self.url.is_none() => {
                vec![run::verify_directly(access, &header, &entries, None)?]
            }
            (_, reached) => {
                reached?;
                verify_ledger(&self.ledger, &target, database.as_ref())?
            }
        };
        verdicts.iter().for_each(|verdict| println!("{verdict}"));
        Ok(if verdicts.iter().any(|verdict| !verdict.holds()) {
            Exit::Lost
        } else if verdicts.iter().all(|verdict| verdict.undetermined > 0) {
            Exit::Invalid
        } else {
            Exit::Passed
        })
    }
}

impl ReportArgs {
    fn execute(self) -> anyhow::Result<Exit> {
        let result = read_result(&self.result)?;
        let beside = self.result.parent().map(PathBuf::from).unwrap_or_default();
        let files = report::write(&result, &self.out.unwrap_or(beside))?;
        println!("{}", report::verdict_lines(&result, &files.html));
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

/// Becomes true at the first Ctrl-C or SIGTERM: the run ends in order, with a result.
fn stop_on_interrupt() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let Ok(mut terminate) = signal(SignalKind::terminate()) else {
                return;
            };
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            flag.store(true, Ordering::Relaxed);
        });
    });
    Ok(stop)
}

/// As many descriptors as this process may have; each connection is one.
fn raise_descriptor_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // With fewer the run says so itself when they run out.
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).ok();
    }
}
