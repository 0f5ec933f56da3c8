//! The capacity under a service level objective: the highest rate at which a profile holds it, in the open model. The
//! closed probe of a profile, which takes a number of connections and no objective, is in `run/closed_probe.rs`; here it
//! only says where to begin.

mod finding;
mod knee;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::ensure;

pub(crate) use finding::slo_of;
pub use finding::{Capacity, CapacityFinding};
pub(crate) use knee::KneeSearch;

use crate::budget::Budget;
use crate::database::DatabaseAccess;
use crate::machine::{Machine, Pressure};
use crate::output::{micros, say};
use crate::profile::{Mix, Overrides, Profile};
use crate::target::Target;
use crate::trial::{Standing, Trial, TrialSetup, Trials};

/// Connections of the closed probe.
const PROBE_CONNECTIONS: usize = 64;
/// The longest first stretch of a trial, in which connections are opened and nothing is measured.
const WARMUP_MAX: Duration = Duration::from_secs(1);
/// Trials without which there is no bracket to speak of.
const TRIALS_MIN: u32 = 8;

/// What is looked for, and where.
pub struct CapacitySetup {
    /// The requests, with the objective as their thresholds.
    pub profile: Profile,
    /// The server.
    pub target: Target,
    /// Its admin listener.
    pub admin: Option<Target>,
    /// Direct access to its database.
    pub database: Option<DatabaseAccess>,
    /// Choices of the command line.
    pub overrides: Overrides,
    /// How long a trial is measured.
    pub step: Duration,
    /// How long all of them may take.
    pub budget: Duration,
    /// How often the rates near the result are repeated.
    pub repeats: u32,
    /// Where the ledger and the results go.
    pub directory: PathBuf,
}

impl CapacitySetup {
    /// Asks whether the budget allows for a search at all.
    fn check(&self) -> anyhow::Result<()> {
        let least = (self.step + warmup(self.step)) * TRIALS_MIN;
        ensure!(
            self.budget >= least,
            "--budget {} is too short for steps of {}: {TRIALS_MIN} of them and their warm-ups take {}; want a longer \
             budget or a shorter --step",
            humantime::format_duration(self.budget),
            humantime::format_duration(self.step),
            humantime::format_duration(least)
        );
        ensure!(!self.step.is_zero(), "--step must be longer than nothing");
        Ok(())
    }
}

/// Looks for the capacity, and verifies the ledger of all trials, also of those before an error.
///
/// # Errors
/// When nothing was sent: the setup is wrong, or the target cannot be asked.
pub fn find(setup: CapacitySetup, stop: &Arc<AtomicBool>) -> anyhow::Result<Capacity> {
    setup.check()?;
    let mut capacity = Capacity::begin(&setup)?;
    let mut trials = Trials::open(TrialSetup {
        mix: Mix::of(&setup.profile)?,
        target: setup.target.clone(),
        admin: setup.admin.clone(),
        database: setup.database.clone(),
        overrides: setup.overrides.clone(),
        warmup: warmup(setup.step),
        directory: setup.directory.clone(),
        name: capacity.id.clone(),
        stop: Arc::clone(stop),
    })?;
    capacity.machine = Machine::look();
    let pressure = Pressure::now();
    let searched = search(&setup, &mut trials, &mut capacity);
    if let Err(error) = &searched {
        capacity.fail(error);
    }
    capacity.throttling = Pressure::now().since(pressure);
    say(format_args!("verifying the ledger of all trials"));
    let interrupted = trials.is_stopped() && searched.is_ok();
    capacity.end(trials.verify(), interrupted);
    let ledger = trials.ledger_path().and_then(|path| path.file_name());
    capacity.ledger = ledger.map(|name| name.to_string_lossy().into_owned());
    Ok(capacity)
}

/// The closed probe, and then one trial after the other.
fn search(
    setup: &CapacitySetup,
    trials: &mut Trials,
    capacity: &mut Capacity,
) -> anyhow::Result<()> {
    let mut budget = Budget::begin(setup.budget, setup.step + warmup(setup.step));
    let closed = trials.probe(PROBE_CONNECTIONS, setup.step)?;
    say(format_args!(
        "closed probe: {closed:.0} requests a second over {PROBE_CONNECTIONS} connections; the search begins below that"
    ));
    capacity.closed_rate = closed;
    let mut search = KneeSearch::begin(closed / 2.0, setup.repeats, setup.overrides.seed);
    while !trials.is_stopped() && budget.fits(1) {
        let Some(rate) = search.next() else { break };
        let began = Instant::now();
        let trial = trials.measure(rate, setup.step)?;
        budget.took(began.elapsed());
        search.add(rate, trial.standing == Standing::Held);
        say(format_args!(
            "{:>4}. {}  ({} left)",
            capacity.trials.len() + 1,
            line(&trial),
            budget.show_left()
        ));
        capacity.trials.push(trial);
    }
    capacity.find(&search);
    Ok(())
}

/// The first stretch of a trial of this length, which is not measured.
pub(crate) fn warmup(step: Duration) -> Duration {
    step.min(WARMUP_MAX)
}

/// A trial in one line.
pub(crate) fn line(trial: &Trial) -> String {
    let standing = match trial.standing {
        Standing::Held => "held     ",
        Standing::Missed => "missed   ",
        Standing::Undecided => "undecided",
    };
    let p99 = trial.p99_us.map_or("-".to_owned(), micros);
    format!(
        "{:>7.0}/s {standing}  p99 {p99:>9}  success {:>7.3} %",
        trial.rate,
        trial.success * 100.0
    )
}
