//! A run from its configuration to its result: probe, load, verification, judgement.

mod assemble;
mod closed_probe;
mod config;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use config::RunConfig;

use self::assemble::{Observations, assemble};
use self::closed_probe::with_probed_capacity;
use crate::client;
use crate::database::DatabaseAccess;
use crate::drive::drive;
use crate::engine::Plan;
use crate::files::create_directory;
use crate::ledger::{Header, Ledger};
use crate::live::{Progress, View};
use crate::machine::{Machine, Pressure, fdatasync_per_second};
use crate::profile::{Metric, Overrides, Profile, compile};
use crate::result::RunResult;
use crate::server_metrics::ServerMetrics;
use crate::verify::{Exclusivity, verify_ledger};

/// Runs a configuration. The result's `exit` says how the run ended.
///
/// # Errors
/// When there is no result: the configuration is wrong, or the target cannot be asked.
pub fn run(
    config: &RunConfig,
    stop: &Arc<AtomicBool>,
    mut view: View,
) -> anyhow::Result<RunResult> {
    // What is wrong with the profile is said before anything is asked of the target.
    let any_capacity = Overrides {
        capacity: Some(1.0),
        ..config.overrides.clone()
    };
    compile(&config.profile, &config.target, &any_capacity)?;
    let target = config.target.reach()?;
    let mut machine = Machine::look();
    machine.fdatasync_per_second = config
        .fsync_directory
        .as_deref()
        .and_then(fdatasync_per_second);
    let database = config
        .database
        .as_ref()
        .map(DatabaseAccess::facts)
        .transpose()?;
    let run = uuid::Uuid::now_v7();
    let overrides = Overrides {
        // No other run stores these rows, also not one with the same seed: a ledger stays true for ever.
        letters: Some(run.as_u64_pair().1),
        ..with_probed_capacity(config, &target, stop)?
    };
    let plan = Arc::new(compile(&config.profile, &target, &overrides)?);
    create_directory(&config.directory)?;
    let run = run.to_string();
    let ledger = open_ledger(config, &plan, &run)?.map(Arc::new);
    let started_at = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);

    let conditions = config.profile.conditions();
    let name = config.profile.name_at(overrides.speed);
    let metrics = config.admin.clone().map(ServerMetrics::watch);
    let before = Pressure::now();
    let collected = drive(&plan, ledger.as_ref(), stop, |collected, second| {
        let newest = metrics.as_ref().map(|metrics| {
            metrics.second_ended(second);
            metrics.newest()
        });
        view.show(&Progress {
            profile: &name,
            conditions: &conditions,
            plan: &plan,
            collected,
            second,
            seconds_planned: plan.measured_seconds() + plan.warmup.as_secs_f64(),
            gauges: &newest.unwrap_or_default(),
        });
    })?;
    let throttling = Pressure::now().since(before);
    let seconds = collected.seconds.len();
    let (server, silent) = metrics.map_or_else(Default::default, |metrics| metrics.finish(seconds));
    drop(view);

    let interrupted = stop.load(Ordering::Relaxed);
    let verified = match &ledger {
        Some(ledger) if config.verify || asks_for_lost(&config.profile) => {
            let database = config.database.as_ref();
            verify_ledger(ledger.path(), &target, database, Exclusivity::Exclusive)
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
    let observed = Observations {
        run,
        started_at,
        machine,
        throttling,
        database,
        verification,
        unverified,
        interrupted,
        silent,
        server,
        ledger: ledger.as_ref().and_then(|ledger| file_name(ledger.path())),
    };
    Ok(assemble(config, &overrides, &plan, &collected, observed))
}

fn open_ledger(config: &RunConfig, plan: &Plan, run: &str) -> anyhow::Result<Option<Ledger>> {
    if !plan.creates() {
        return Ok(None);
    }
    let before = client::count(&plan.target)?;
    let mut header = Header::new(run, &plan.target.url, before);
    if let Some(access) = &config.database {
        header.database_clock = Some(access.clock()?);
    }
    Ledger::create(&config.directory.join(format!("{run}.ledger")), &header).map(Some)
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
