//! Trials: a mix at one rate for some seconds, judged by an objective. All trials of a search write one ledger, which is
//! verified at its end.

mod judged;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, anyhow};

pub use judged::{Standing, Trial};

use crate::client;
use crate::collect::Collected;
use crate::database::DatabaseAccess;
use crate::drive::drive;
use crate::exit::NothingWorked;
use crate::files::create_directory;
use crate::ledger::{self, Header, Ledger};
use crate::profile::{Mix, Overrides, compile};
use crate::target::Target;
use crate::telemetry::observe;
use crate::verify::{
    Exclusivity, Verdict, lost_without_server, once_settled, verify_by_http, verify_directly,
};

/// Seeds of two trials lie this far apart, since each scenario of a run takes one of its own.
const SEEDS_OF_A_TRIAL: u64 = 1000;

/// A server and what it is asked, for one trial after another.
pub(crate) struct Trials {
    pub(crate) mix: Mix,
    pub(crate) target: Target,
    pub(crate) admin: Option<Target>,
    database: Option<DatabaseAccess>,
    overrides: Overrides,
    warmup: Duration,
    ledger: Option<Arc<Ledger>>,
    stop: Arc<AtomicBool>,
    /// How many there were.
    count: u64,
}

/// What [`Trials::open`] needs.
pub(crate) struct TrialSetup {
    pub(crate) mix: Mix,
    pub(crate) target: Target,
    pub(crate) admin: Option<Target>,
    pub(crate) database: Option<DatabaseAccess>,
    pub(crate) overrides: Overrides,
    /// The first stretch of each trial, which is not measured.
    pub(crate) warmup: Duration,
    /// Where the ledger goes, and the name of its file without its end.
    pub(crate) directory: PathBuf,
    pub(crate) name: String,
    pub(crate) stop: Arc<AtomicBool>,
}

impl Trials {
    /// Reaches the target, and begins the ledger.
    ///
    /// # Errors
    /// When the target cannot be reached, the profile cannot be compiled, or the ledger cannot be written.
    pub(crate) fn open(setup: TrialSetup) -> anyhow::Result<Trials> {
        let target = setup.target.reach()?;
        let any = setup.mix.open(1.0, Duration::ZERO, Duration::from_secs(1));
        let creates = compile(&any, &target, &setup.overrides)?.creates();
        create_directory(&setup.directory)?;
        let ledger = if creates {
            let mut header = Header::new(&setup.name, &target.url, client::count(&target)?);
            if let Some(access) = &setup.database {
                header.database_clock = Some(access.clock()?);
            }
            let path = setup.directory.join(format!("{}.ledger", setup.name));
            Some(Arc::new(Ledger::create(&path, &header)?))
        } else {
            None
        };
        Ok(Trials {
            mix: setup.mix,
            target,
            admin: setup.admin,
            database: setup.database,
            overrides: setup.overrides,
            warmup: setup.warmup,
            ledger,
            stop: setup.stop,
            count: 0,
        })
    }

    /// Whether Ctrl-C was pressed, or a trial ended in a way after which none follows.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// One trial: `rate` requests a second in all, measured for `length`.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub(crate) fn measure(&mut self, rate: f64, length: Duration) -> anyhow::Result<Trial> {
        let profile = self.mix.open(rate, self.warmup, length);
        let overrides = self.next_overrides();
        let plan = Arc::new(compile(&profile, &self.target, &overrides)?);
        let send = || drive(&plan, self.ledger.as_ref(), &self.stop, |_, _| {});
        let (collected, telemetry) = observe(self.admin.as_ref(), send);
        let collected = whole(collected?)?;
        let interrupted = self.is_stopped();
        Ok(Trial::judge(
            rate,
            &profile,
            &plan,
            &collected,
            telemetry,
            interrupted,
        ))
    }

    /// How much is answered as prescribed to so many connections in the closed model, a second.
    ///
    /// # Errors
    /// When it cannot be sent, or nothing is answered as prescribed.
    pub(crate) fn probe(&mut self, connections: usize, length: Duration) -> anyhow::Result<f64> {
        let profile = self.mix.closed(connections, length);
        let overrides = self.next_overrides();
        let plan = Arc::new(compile(&profile, &self.target, &overrides)?);
        let collected = whole(drive(&plan, self.ledger.as_ref(), &self.stop, |_, _| {})?)?;
        let total = collected.total();
        if total.succeeded() == 0 && !self.is_stopped() {
            let what = "requests of the closed probe".to_owned();
            let answers = total.outcomes_text();
            return Err(NothingWorked { what, answers }.into());
        }
        Ok(total.succeeded() as f64 / plan.measured_seconds())
    }

    /// Judges the ledger: directly where there is access to the database, else by HTTP.
    ///
    /// # Errors
    /// When it cannot be judged.
    pub(crate) fn verify(&self) -> anyhow::Result<Option<Verdict>> {
        let Some(ledger) = &self.ledger else {
            return Ok(None);
        };
        let (header, attempts) = ledger::read(ledger.path())?;
        let judge = || {
            let verdict = match &self.database {
                Some(access) => match client::count(&self.target) {
                    Ok(count) => verify_directly(access, &header, &attempts, count),
                    Err(error) => lost_without_server(access, &header, &attempts, error),
                },
                None => verify_by_http(&self.target, &header, &attempts, Exclusivity::Exclusive),
            };
            verdict.map(|verdict| [verdict])
        };
        let [verdict] = once_settled(judge).context("the ledger could not be verified")?;
        Ok(Some(verdict))
    }

    /// The ledger's file.
    pub(crate) fn ledger_path(&self) -> Option<&Path> {
        self.ledger.as_ref().map(|ledger| ledger.path())
    }

    /// Another seed and other letters for each trial: no two of them store equal rows.
    fn next_overrides(&mut self) -> Overrides {
        self.count += 1;
        let apart = self.count.wrapping_mul(SEEDS_OF_A_TRIAL);
        Overrides {
            seed: self.overrides.seed.wrapping_add(apart),
            letters: Some(uuid::Uuid::new_v4().as_u64_pair().0),
            ..self.overrides.clone()
        }
    }
}

/// What a trial counted, unless a part of it is missing: an error ended one of its threads, or its ledger has a hole.
fn whole(collected: Collected) -> anyhow::Result<Collected> {
    match &collected.unrecorded {
        Some(why) => Err(anyhow!("{why}")),
        None => Ok(collected),
    }
}
