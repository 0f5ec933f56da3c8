//! A whole run: probing, sending, watching, verifying, judging.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::client;
use crate::collect::Collected;
use crate::database::{DatabaseAccess, DatabaseFacts};
use crate::engine::{Engine, Load, Plan};
use crate::exit::NothingWorked;
use crate::files::create_directory;
use crate::judge;
use crate::ledger::{Header, Ledger};
use crate::live::{Progress, ServerGauges, View};
use crate::machine::{Held, Machine, Pressure, fdatasync_per_second};
use crate::output::say;
use crate::profile::{Metric, Overrides, Profile, compile};
use crate::result::{RunResult, SCHEMA, Setup, endpoints, series};
use crate::target::Target;
use crate::verify::{Exclusivity, Verdict, verify_ledger};

/// What a run needs to know.
pub struct Order {
    /// What to do.
    pub profile: Profile,
    /// To whom.
    pub target: Target,
    /// The command line's choices.
    pub overrides: Overrides,
    /// Where ledger and results go.
    pub directory: PathBuf,
    /// Direct access to the database.
    pub database: Option<DatabaseAccess>,
    /// Verify the ledger even if no threshold asks for it.
    pub verify: bool,
    /// Where the server's `/metrics` are.
    pub admin: Option<Target>,
    /// A directory on the database's disk, for `pg_test_fsync`.
    pub fsync_directory: Option<PathBuf>,
}

/// Does it. The result's `exit` says how it ended; an error means that there is no result.
pub fn run(order: &Order, stop: &Arc<AtomicBool>, mut view: View) -> anyhow::Result<RunResult> {
    // What is wrong with the order is told before anything is asked of the target.
    let any_capacity = Overrides {
        capacity: Some(1.0),
        ..order.overrides.clone()
    };
    compile(&order.profile, &order.target, &any_capacity)?;
    order.target.reach()?;
    let mut machine = Machine::look();
    machine.fdatasync_per_second = order
        .fsync_directory
        .as_deref()
        .and_then(fdatasync_per_second);
    let database = order
        .database
        .as_ref()
        .map(DatabaseAccess::facts)
        .transpose()?;
    let overrides = with_capacity(order, stop)?;
    let plan = Arc::new(compile(&order.profile, &order.target, &overrides)?);
    create_directory(&order.directory)?;
    let run = uuid::Uuid::now_v7().to_string();
    let ledger = open_ledger(order, &plan, &run)?.map(Arc::new);
    let started_at = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);

    let gauges = order.admin.clone().map(ServerGauges::watch);
    let before = Pressure::now();
    let collected = drive(&plan, ledger.as_ref(), stop, |moment_of| {
        let newest = gauges
            .as_ref()
            .map(ServerGauges::newest)
            .unwrap_or_default();
        moment_of(&newest, &mut view);
    })?;
    let held = Pressure::now().since(before);
    drop(view);

    let interrupted = stop.load(Ordering::Relaxed);
    let verified = match &ledger {
        Some(ledger) if order.verify || asks_for_lost(&order.profile) => {
            let database = order.database.as_ref();
            verify_ledger(
                ledger.path(),
                &order.target,
                database,
                Exclusivity::Exclusive,
            )
        }
        _ => Ok(Vec::new()),
    };
    // A server that died under the load is no reason to throw away what was measured.
    let (verification, unverified) = match verified {
        Ok(verification) => (verification, None),
        Err(error) => {
            let why = format!("the ledger could not be verified: {error:#}");
            (Vec::new(), Some(why))
        }
    };
    let greatest = gauges.map(|gauges| gauges.greatest()).unwrap_or_default();
    let facts = Facts {
        machine,
        held,
        database,
        verification,
        unverified,
        interrupted,
        greatest,
    };
    let mut result = judged(order, &overrides, &plan, &collected, facts);
    (result.run, result.started_at) = (run, started_at);
    result.ledger = ledger.as_ref().and_then(|ledger| file_name(ledger.path()));
    Ok(result)
}

/// Runs a plan and adds up what it did. `each_second` is given a way to show the newest second. A ledger
/// that cannot be written ends the run; what was recorded until then is still to be judged.
pub fn drive(
    plan: &Arc<Plan>,
    ledger: Option<&Arc<Ledger>>,
    stop: &Arc<AtomicBool>,
    mut each_second: impl FnMut(&dyn Fn(&BTreeMap<String, f64>, &mut View)),
) -> anyhow::Result<Collected> {
    let engine = Engine::start(plan, ledger, stop)?;
    let mut collected = Collected::new(plan.endpoints.len());
    let mut reported = vec![0usize; 0];
    let seconds_planned = plan.measured_seconds() + plan.warmup.as_secs_f64();
    while let Ok(next) = engine.next(Duration::from_secs(60)) {
        let Some(interval) = next else { continue };
        collected.add(&interval);
        let second = interval.second as usize;
        reported.resize(reported.len().max(second + 1), 0);
        reported[second] += 1;
        if reported[second] < plan.threads {
            continue;
        }
        if let Some(Err(error)) = ledger.map(|ledger| ledger.sync()) {
            stop.store(true, Ordering::Relaxed);
            collected.unrecorded = Some(format!("{error:#}"));
        }
        each_second(&|gauges, view| {
            view.show(&Progress {
                plan,
                collected: &collected,
                second,
                seconds_planned,
                gauges,
            });
        });
    }
    let recorded = match (engine.join(), ledger) {
        (Err(error), Some(ledger)) if ledger.is_torn() => Err(error),
        (ended, ledger) => {
            ended?;
            ledger.map_or(Ok(()), |ledger| ledger.sync())
        }
    };
    if let Err(error) = recorded {
        collected.unrecorded = Some(format!("{error:#}"));
    }
    Ok(collected)
}

/// Keeps the requests of the capacity probe apart from those of the run.
const PROBE_SEED: u64 = 0x5f0b_3d6c;

struct Facts {
    machine: Machine,
    held: Held,
    database: Option<DatabaseFacts>,
    verification: Vec<Verdict>,
    unverified: Option<String>,
    interrupted: bool,
    greatest: BTreeMap<String, f64>,
}

fn judged(
    order: &Order,
    overrides: &Overrides,
    plan: &Plan,
    collected: &Collected,
    facts: Facts,
) -> RunResult {
    let Facts {
        machine,
        held,
        database,
        verification,
        unverified,
        interrupted,
        greatest,
    } = facts;
    let mut validity = judge::validity(
        plan,
        collected,
        interrupted,
        &held,
        &machine,
        database.as_ref(),
    );
    validity.invalid.extend(unverified);
    validity.invalid.extend(judge::unproven(&verification));
    let mut thresholds = judge::thresholds(
        &order.profile.conditions(),
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
        run: String::new(),
        started_at: String::new(),
        setup: setup(order, overrides, plan),
        exit: judge::exit(&validity, &thresholds, &verification),
        validity,
        thresholds,
        verification,
        measured_seconds: plan.measured_seconds(),
        warmup_requests: collected.warmup.ended(),
        total,
        endpoints,
        series: series(collected),
        examples: collected.examples.clone(),
        generator_nice: collected.nice,
        generator_cpu_us_per_request: collected.cpu_seconds * 1e6 / sent as f64,
        machine,
        held,
        database,
        server_gauges_max: greatest,
        ledger: None,
    }
}

fn setup(order: &Order, overrides: &Overrides, plan: &Plan) -> Setup {
    let digest = Sha256::digest(order.profile.source.as_bytes());
    Setup {
        generator: env!("CARGO_PKG_VERSION").to_owned(),
        target: order.target.url.clone(),
        profile: order.profile.name.clone(),
        about: order.profile.about.clone(),
        profile_digest: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        profile_source: order.profile.source.clone(),
        seed: overrides.seed,
        speed: overrides.speed,
        threads: overrides.threads,
        connections: overrides.connections,
        capacity: overrides.capacity,
        model: match plan.load {
            Load::Open(_) => "open",
            Load::Closed { .. } => "closed",
        }
        .to_owned(),
    }
}

/// Measures the capacity when the profile's rates are multiples of it.
fn with_capacity(order: &Order, stop: &Arc<AtomicBool>) -> anyhow::Result<Overrides> {
    let mut overrides = order.overrides.clone();
    let Some(closed) = order
        .profile
        .capacity
        .clone()
        .filter(|_| overrides.capacity.is_none())
    else {
        return Ok(overrides);
    };
    let probe = Profile {
        closed: Some(closed),
        warmup: Duration::ZERO,
        ..order.profile.clone()
    };
    // Another seed: rows of the probe that equal rows of the run would look as if they had been
    // stored twice.
    let seed = overrides.seed ^ PROBE_SEED;
    let own = Overrides {
        speed: 1.0,
        seed,
        ..overrides.clone()
    };
    let plan = Arc::new(compile(&probe, &order.target, &own)?);
    let collected = drive(&plan, None, stop, |_| {})?;
    let capacity = collected.total().succeeded() as f64 / plan.measured_seconds();
    if capacity == 0.0 {
        let what = "requests that measure the capacity".to_owned();
        let answers = collected.total().told();
        return Err(NothingWorked { what, answers }.into());
    }
    say(format_args!("capacity: {capacity:.0} requests a second"));
    overrides.capacity = Some(capacity);
    Ok(overrides)
}

fn open_ledger(order: &Order, plan: &Plan, run: &str) -> anyhow::Result<Option<Ledger>> {
    if !plan.creates() {
        return Ok(None);
    }
    let before = client::count(&order.target)?;
    let mut header = Header::new(run, &order.target.url, before);
    if let Some(access) = &order.database {
        header.database_clock = Some(access.clock()?);
    }
    Ledger::create(&order.directory.join(format!("{run}.ledger")), &header).map(Some)
}

fn asks_for_lost(profile: &Profile) -> bool {
    profile
        .thresholds
        .iter()
        .any(|threshold| threshold.metric == Metric::Lost)
}

fn file_name(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_string_lossy().into_owned())
}
