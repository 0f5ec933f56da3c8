//! The result of a run, assembled from what was counted, observed and verified.

use super::config::RunConfig;
use crate::collect::Collected;
use crate::commit::commit;
use crate::database::DatabaseFacts;
use crate::engine::{LoadModel, Plan};
use crate::files::sha256;
use crate::judge;
use crate::machine::{Machine, Throttling};
use crate::profile::Overrides;
use crate::result::{RunResult, SCHEMA, ServerMetric, Setup, TlsSetup};
use crate::tabulate::{endpoints, series};
use crate::tls::Trust;
use crate::verify::Verdict;

/// What a run with `--insecure` says of itself.
const UNVERIFIED: &str = "TLS WAS NOT VERIFIED (--insecure): the answers may be anyone's";

/// Observations beside the counts of the generator.
pub(super) struct Observations {
    pub(super) run: String,
    pub(super) started_at: String,
    pub(super) machine: Machine,
    pub(super) throttling: Throttling,
    pub(super) database: Option<DatabaseFacts>,
    pub(super) verification: Vec<Verdict>,
    /// Why the ledger could not be verified.
    pub(super) unverified: Option<String>,
    pub(super) interrupted: bool,
    /// Why the server's own figures are not known, where they were asked for.
    pub(super) silent: Option<String>,
    /// The server's own figures.
    pub(super) server: Vec<ServerMetric>,
    /// The ledger's file.
    pub(super) ledger: Option<String>,
}

/// Judges the run.
pub(super) fn assemble(
    config: &RunConfig,
    overrides: &Overrides,
    plan: &Plan,
    collected: &Collected,
    observed: Observations,
) -> RunResult {
    let verification = observed.verification;
    let mut validity = judge::validity(
        plan,
        collected,
        observed.interrupted,
        &observed.throttling,
        &observed.machine,
        observed.database.as_ref(),
    );
    validity.invalid.extend(observed.unverified);
    validity.invalid.extend(judge::unproven(&verification));
    validity.marks.extend(observed.silent);
    let tls = config.target.tls.as_ref();
    if tls.is_some_and(|tls| matches!(tls.trust, Trust::Anyone)) {
        validity.marks.insert(0, UNVERIFIED.to_owned());
    }
    let mut thresholds = judge::thresholds(
        &config.profile.conditions(),
        plan,
        collected,
        plan.measured_seconds(),
        &verification,
    );
    let (total, endpoints) = endpoints(plan, collected);
    thresholds.extend(judge::useless(&endpoints));
    let sent = (collected.warmup.sent + total.sent).max(1);
    RunResult {
        schema: SCHEMA,
        run: observed.run,
        started_at: observed.started_at,
        setup: setup(config, overrides, plan),
        exit: judge::exit(&validity, &thresholds, &verification),
        validity,
        thresholds,
        verification,
        measured_seconds: plan.measured_seconds(),
        planned_seconds: plan.length.as_secs_f64(),
        warmup_requests: collected.warmup.ended(),
        total,
        endpoints,
        series: series(collected),
        examples: collected.examples.clone(),
        generator_nice: collected.nice,
        generator_cpu_us_per_request: collected.cpu_seconds * 1e6 / sent as f64,
        machine: observed.machine,
        throttling: observed.throttling,
        database: observed.database,
        server: observed.server,
        ledger: observed.ledger,
    }
}

fn setup(config: &RunConfig, overrides: &Overrides, plan: &Plan) -> Setup {
    let files = config.profile.digests();
    let directory = std::path::absolute(&config.profile.directory).ok();
    Setup {
        generator: env!("CARGO_PKG_VERSION").to_owned(),
        commit: commit(),
        target: config.target.url.clone(),
        credentials: config.target.authorization.is_some(),
        tls: config.target.tls.as_ref().map(|tls| TlsSetup {
            verified: !matches!(tls.trust, Trust::Anyone),
            ca: tls.ca.clone(),
        }),
        profile: config.profile.name.clone(),
        about: config.profile.about.clone(),
        profile_digest: sha256(config.profile.source.as_bytes()),
        profile_source: config.profile.source.clone(),
        profile_directory: directory
            .filter(|_| !files.is_empty())
            .map(|directory| directory.display().to_string()),
        files,
        seed: overrides.seed,
        speed: overrides.speed,
        threads: overrides.threads,
        connections: overrides.connections,
        lateness_max_us: (overrides.lateness_max)
            .map(|limit| u64::try_from(limit.as_micros()).unwrap_or(u64::MAX)),
        capacity: overrides.capacity,
        model: match plan.load {
            LoadModel::Open(_) => "open",
            LoadModel::Closed { .. } => "closed",
        }
        .to_owned(),
    }
}
