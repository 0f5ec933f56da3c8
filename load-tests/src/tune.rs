//! Sizes by measurement: workers of each lane, the largest batch and PgBouncer's pool, tried on a stack in the open model
//! near its knee. What is not proved to be better is left as it is.

mod apply;
mod backup;
mod config;
mod edit;
mod explain;
mod measured;
mod moves;
mod noise;
mod outcome;
mod pooler_sizes;
mod race;
mod rig;
mod sizes;
mod tuning;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::ensure;

pub use backup::undo;
pub use config::Files;
pub use explain::{Formula, LaneLoad};
pub use measured::Sample;
pub use race::{Ending, Proof};
pub use sizes::{Size, Sizes};
pub use tuning::{CurvePoint, Ratio, Tuning};

use self::apply::apply;
use self::config::Config;
use self::measured::Measured;
use self::race::{Found, PROOFS, search};
use self::rig::{Handicap, Named, Rig, Throwaway};
use crate::budget::Budget;
use crate::capacity::warmup;
use crate::database::DatabaseAccess;
use crate::machine::Pressure;
use crate::output::say;
use crate::profile::{Mix, Overrides, Profile};
use crate::target::Target;
use crate::telemetry::workers;
use crate::trial::{TrialSetup, Trials};

/// Steps of one round of the search; below that nothing can be said.
const STEPS_MIN: u32 = 40;
/// Pairs that measure both configurations again: as many as prove a move of the search.
const PAIRS_AGAIN: u32 = PROOFS as u32;
/// Pairs that measure the way past PgBouncer.
const PAIRS_PAST: u32 = 3;

/// The stack that is tuned.
pub enum TunedStack {
    /// A throw-away one of this server program, with handicaps for maintainers.
    Throwaway {
        /// The program.
        server: PathBuf,
        /// Added to each round trip to the database.
        delay: Option<Duration>,
        /// Processors that PostgreSQL may use.
        cpus: Option<f64>,
    },
    /// One that runs somewhere.
    Named(Box<NamedStack>),
}

/// A stack that runs somewhere.
#[derive(Clone)]
pub struct NamedStack {
    /// The API.
    pub target: Target,
    /// Its admin listener.
    pub admin: Option<Target>,
    /// Direct access to its database.
    pub database: Option<DatabaseAccess>,
    /// The shell command that makes its files count.
    pub command: String,
    /// How long it may take.
    pub timeout: Duration,
}

/// What is tuned, and how.
pub struct TuneSetup {
    /// The stack.
    pub stack: TunedStack,
    /// Its configuration files.
    pub files: Files,
    /// The requests, with the objective that says where the knee is.
    pub profile: Profile,
    /// A fixed rate instead of one near the knee.
    pub rate: Option<f64>,
    /// Choices of the command line.
    pub overrides: Overrides,
    /// How long a trial is measured.
    pub step: Duration,
    /// How long all of them may take.
    pub budget: Duration,
    /// Whether the proposal is written.
    pub apply: bool,
    /// Where the ledger and the results go.
    pub directory: PathBuf,
}

/// Tunes a stack.
///
/// # Errors
/// When there is no result: the setup is wrong, or the stack cannot be asked.
pub fn tune(setup: TuneSetup, stop: &Arc<AtomicBool>) -> anyhow::Result<Tuning> {
    let least = (setup.step + warmup(setup.step)) * STEPS_MIN;
    ensure!(
        setup.budget >= least,
        "--budget {} is too short for steps of {}: a round of the search takes {STEPS_MIN} of them and their warm-ups, \
         {}; want a longer budget or a shorter --step",
        humantime::format_duration(setup.budget),
        humantime::format_duration(setup.step),
        humantime::format_duration(least)
    );
    ensure!(!setup.step.is_zero(), "--step must be longer than nothing");
    let cores = num_cpus::get();
    let config = Config::read(&setup.files)?;
    let current = config.sizes(cores)?;
    ensure!(
        current.is_allowed(),
        "{current}: the server refuses so many connections (DB_POOL_MAX is 100); lower WORKERS in {}",
        setup.files.env.display()
    );
    let mut tuning = Tuning::begin(&setup, current);
    tuning.marks.extend(config.ceilings(&current));
    say(format_args!("tuning {}; now: {current}", tuning.stack));
    let (rig, named) = start_rig(&setup, &config, current)?;
    let mut measured = measure_on(rig, &setup, &tuning, current, stop)?;
    check_workers(&setup, measured.trials.admin.as_ref(), &current)?;
    let (began, pressure) = (Instant::now(), Pressure::now());
    // What was acknowledged until an error is verified all the same.
    let mut found = search_on(&setup, &mut measured, &mut tuning).unwrap_or_else(|error| {
        tuning.fail(&error);
        Found::nothing(current)
    });
    if let Err(error) = measured.rig.restore() {
        tuning.fail(&error);
    }
    found.chosen = tuning.chosen;
    tuning.seconds = began.elapsed().as_secs_f64();
    tuning.throttling = Pressure::now().since(pressure);
    tuning.explain(&measured, &config, found, cores);
    say(format_args!("verifying the ledger of all trials"));
    tuning.judge(&measured.trials);
    if setup.apply {
        apply(&setup, &config, named.as_ref(), &mut measured, &mut tuning);
    }
    tuning.note();
    Ok(tuning)
}

/// Finds the load, searches from the current sizes, and measures again what is preferred.
fn search_on(
    setup: &TuneSetup,
    measured: &mut Measured,
    tuning: &mut Tuning,
) -> anyhow::Result<Found> {
    let (current, seed) = (tuning.current, setup.overrides.seed);
    match setup.rate {
        Some(rate) => measured.rate = rate,
        None => measured.find_rate(&current, seed)?,
    }
    say(format_args!(
        "the load: {:.0} requests a second",
        measured.rate
    ));
    if tuning.can_pass_the_pooler {
        measured.reserve = 2 * PAIRS_PAST;
    }
    let found = search(measured, current, seed)?;
    tuning.chosen = found.chosen;
    measured.reserve = 0;
    compare_again(tuning, measured)?;
    Ok(found)
}

/// The rig with the current sizes; a named one also by itself, for the proposal that is applied.
fn start_rig(
    setup: &TuneSetup,
    config: &Config,
    current: Sizes,
) -> anyhow::Result<(Box<dyn Rig>, Option<Named>)> {
    let mut rigs: (Box<dyn Rig>, Option<Named>) = match &setup.stack {
        TunedStack::Throwaway {
            server,
            delay,
            cpus,
        } => {
            let rig = Throwaway::start(server, Handicap::new(*delay, *cpus))?;
            (Box::new(rig), None)
        }
        TunedStack::Named(stack) => {
            let rig = || {
                let config = (config.clone(), current);
                Named::new(stack.as_ref().clone(), config, setup.directory.clone())
            };
            (Box::new(rig()), Some(rig()))
        }
    };
    rigs.0.apply(&current)?;
    Ok(rigs)
}

/// Refuses to begin from sizes that the server does not have: the files do not show what its shell or a compose file sets.
fn check_workers(setup: &TuneSetup, admin: Option<&Target>, current: &Sizes) -> anyhow::Result<()> {
    let Some(admin) = admin else {
        return Ok(());
    };
    for (lane, size) in ["create", "find", "search"].into_iter().zip(Size::LANES) {
        let meant = current.get(size);
        let seen = workers(admin, lane).unwrap_or(meant);
        ensure!(
            seen == meant,
            "the server has {seen} workers in the lane {lane}, where {} means {meant}: what starts it sets a number of its own \
             (docker-compose.yml does, by WORKERS); set {} in {} to what you want to begin from",
            setup.files.env.display(),
            size.variable(),
            setup.files.env.display()
        );
    }
    Ok(())
}

fn measure_on(
    rig: Box<dyn Rig>,
    setup: &TuneSetup,
    tuning: &Tuning,
    current: Sizes,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<Measured> {
    let trials = Trials::open(TrialSetup {
        mix: Mix::of(&setup.profile)?,
        target: rig.target()?,
        admin: rig.admin(),
        database: rig.database(),
        overrides: setup.overrides.clone(),
        warmup: warmup(setup.step),
        directory: setup.directory.clone(),
        name: tuning.id.clone(),
        stop: Arc::clone(stop),
    })?;
    let budget = Budget::begin(setup.budget, setup.step + warmup(setup.step));
    Ok(Measured::new(rig, trials, budget, setup.step, current))
}

/// Pairs of what was before and what was chosen, and of the chosen sizes with and without PgBouncer.
fn compare_again(tuning: &mut Tuning, measured: &mut Measured) -> anyhow::Result<()> {
    if tuning.chosen != tuning.current {
        tuning.again = pairs(measured, tuning.current, tuning.chosen, PAIRS_AGAIN)?;
        // The best of many candidates may have been the luckiest, and a lighter load may have flattered it. Where there
        // was no time to ask, or chance may be the reason, nothing is proposed.
        if !tuning.again.as_ref().is_some_and(Ratio::is_proof) {
            let times = tuning.again.as_ref().map_or(0, |again| again.pairs);
            if times < PAIRS_AGAIN as usize && !measured.trials.is_stopped() {
                tuning.invalid.push(format!(
                    "the budget ended before {} was measured again: whether it is better is not known; give a longer --budget \
                     or a shorter --step",
                    tuning.chosen
                ));
            }
            tuning.chosen = tuning.current;
        }
    }
    let past = Sizes {
        pooler: 0,
        ..tuning.chosen
    };
    if tuning.can_pass_the_pooler {
        tuning.past_the_pooler = pairs(measured, tuning.chosen, past, PAIRS_PAST)?;
    }
    Ok(())
}

/// Up to so many pairs of costs, as the budget allows.
fn pairs(measured: &mut Measured, a: Sizes, b: Sizes, count: u32) -> anyhow::Result<Option<Ratio>> {
    let mut costs = Vec::new();
    for pair in 0..count {
        if !measured.may_go_on() {
            break;
        }
        // In turn either first, as in the search.
        if pair.is_multiple_of(2) {
            let before = measured.again(&a)?;
            costs.push((before, measured.again(&b)?));
        } else {
            let after = measured.again(&b)?;
            costs.push((measured.again(&a)?, after));
        }
    }
    Ok(Ratio::of(&costs))
}
