//! The negative control: a database that loses acknowledged writes by configuration is killed hard, and the
//! ledger must notice. A check that cannot fail proves nothing.

mod cluster;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

pub use cluster::Cluster;

use crate::drive::drive;
use crate::ledger::{self, Header, Ledger};
use crate::output::say;
use crate::profile::{Overrides, Profile, compile};
use crate::server::Server;
use crate::stack::Programs;
use crate::verify::{Verdict, verify_directly};

/// The configuration of a control.
#[derive(Debug)]
pub struct Trial {
    /// The programs under test.
    pub programs: Programs,
    /// `off` must lose writes; `on` must not.
    pub synchronous_commit: bool,
    /// How often.
    pub rounds: u32,
    /// Where the ledgers go.
    pub directory: PathBuf,
}

/// Creates per second: enough that some are always between their answer and the disk, which follows after up to 0.6 s.
const PROFILE: &str = "name = 'control'\ntimeout = '5s'\n[[scenario]]\nname = 'create'\n\
                       request = 'create-valid'\narrivals = [{ rate = 150, for = '60s' }]\n";

/// The cluster is killed when a round has stored so many: then some are between their answer and the disk, however busy
/// the machine is.
const KILL_AT: i64 = 150;
/// Longest wait for that, less than the load is long.
const PATIENCE: Duration = Duration::from_secs(50);
const POLL: Duration = Duration::from_millis(20);

/// Runs the rounds and adds what each ledger's verification found to `verdicts`.
///
/// # Errors
/// When a round cannot be run to its end; what was found until then is found.
pub fn control(trial: &Trial, seed: u64, verdicts: &mut Vec<Verdict>) -> anyhow::Result<()> {
    let mut cluster = Cluster::create(&trial.programs)?;
    cluster.prepare(&trial.programs.server, trial.synchronous_commit)?;
    for round in 1..=trial.rounds {
        let (verdict, unrecorded) =
            round_of(trial, &mut cluster, seed.wrapping_add(u64::from(round)))
                .with_context(|| format!("round {round}"))?;
        say(format_args!(
            "round {round}: lost {} of {} acknowledged ({} unknown: {} stored, {} not)",
            verdict.lost,
            verdict.acknowledged,
            verdict.unknown_stored + verdict.unknown_absent,
            verdict.unknown_stored,
            verdict.unknown_absent
        ));
        verdicts.push(verdict);
        if let Some(why) = unrecorded {
            bail!("round {round}: {why}");
        }
    }
    Ok(())
}

/// What the verification found, and why the ledger is not whole.
fn round_of(
    trial: &Trial,
    cluster: &mut Cluster,
    seed: u64,
) -> anyhow::Result<(Verdict, Option<String>)> {
    let server = Server::start(cluster.server_command(&trial.programs.server)?)?;
    let profile = Profile::parse(PROFILE, Path::new("."))?;
    let overrides = Overrides::seeded(seed);
    let plan = Arc::new(compile(&profile, &server.target, &overrides)?);
    let path = trial
        .directory
        .join(format!("control-{}.ledger", uuid::Uuid::now_v7()));
    let header = Header::new("control", &server.target.url, None);
    let ledger = Arc::new(Ledger::create(&path, &header)?);
    let stop = Arc::new(AtomicBool::new(false));
    let unrecorded = std::thread::scope(|scope| {
        let killer = scope.spawn(|| {
            let killed = await_stored(cluster).and_then(|()| cluster.kill());
            // Later requests would be refused, which proves nothing more.
            stop.store(true, Ordering::Relaxed);
            killed
        });
        let driven = drive(&plan, Some(&ledger), &stop, |_, _| {});
        killer
            .join()
            .map_err(|_| anyhow::anyhow!("the killing thread panicked"))??;
        driven.map(|collected| collected.unrecorded)
    })?;
    drop(server);
    cluster.start()?;
    let (header, attempts) = ledger::read(&path)?;
    let verdict = verify_directly(&cluster.runtime(), &header, &attempts, None)?;
    Ok((verdict, unrecorded))
}

/// Waits until a round has stored what it is killed at.
fn await_stored(cluster: &Cluster) -> anyhow::Result<()> {
    let mut client = cluster.runtime().connect()?;
    let mut stored = || -> anyhow::Result<i64> {
        let row = client.query_one("select count(*) from warrior", &[])?;
        Ok(row.get(0))
    };
    let (before, until) = (stored()?, Instant::now() + PATIENCE);
    loop {
        let since = stored()? - before;
        if since >= KILL_AT {
            return Ok(());
        }
        ensure!(
            Instant::now() < until,
            "the server stored {since} warriors in {} s, too few to lose any; repeat it on a machine that is less busy",
            PATIENCE.as_secs()
        );
        std::thread::sleep(POLL);
    }
}

/// Runs a command to its end; the error carries its standard error.
pub(crate) fn complete(command: &mut Command) -> anyhow::Result<()> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{:?} failed: {}", command.get_program(), said.trim());
    }
    Ok(())
}
