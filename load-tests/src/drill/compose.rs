//! Drills of somebody's own compose stack: each of its services is killed, stopped and restarted under load.
//!
//! Everything is judged by HTTP alone, since its database may be closed to this program. Only containers that compose
//! lists for one project are touched, by their ids, and each is running again before the next one is broken.

mod action;
mod containers;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use self::action::Action;
use self::containers::{Container, Project};
use super::evidence::Evidence;
use super::judge::{Breach, Invariant};
use super::load::{Load, profile};
use super::probe;
use super::program::in_turn;
use super::rig::{Length, Unanswered};
use super::settle::{Settled, settle};
use super::table::{Row, Table};
use crate::files::create_directory;
use crate::ledger;
use crate::target::Target;
use crate::verify::{Exclusivity, Verdict, verify_by_http};

/// The load before a fault, and after its healing.
const LEAD: Duration = Duration::from_secs(2);
const TAIL: Duration = Duration::from_millis(500);
/// Longest wait for ten creates in a row, before the drill goes on.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long they may take where the service's label does not say: containers start more slowly than processes.
const HEALED_WITHIN: Duration = Duration::from_secs(10);
/// How long a repeat may be tried.
const SETTLE_PATIENCE: Duration = Duration::from_secs(20);

/// The configuration of a campaign against compose.
#[derive(Debug)]
pub struct ComposeCampaign {
    /// The project; none asks compose for that of this folder.
    pub project: Option<String>,
    /// The services, in their order; empty for all that run.
    pub services: Vec<String>,
    /// Where the API is; none looks for the published port 5001.
    pub url: Option<String>,
    /// How often each fault is done.
    pub length: Length,
    /// Creates a second.
    pub rate: f64,
    /// Where the page, the figures and the ledgers of broken promises go.
    pub directory: PathBuf,
    /// The command line, for the page.
    pub command: String,
}

/// Runs a campaign until its end, or until `stop`.
///
/// # Errors
/// When there is no such project, or it does not serve.
pub fn run(campaign: &ComposeCampaign, stop: &AtomicBool) -> anyhow::Result<Table> {
    let project = Project::find(campaign.project.as_deref())?;
    let services = project.services(&campaign.services)?;
    let url = match &campaign.url {
        Some(url) => url.clone(),
        None => project.published()?,
    };
    let target = Target::parse(&url)?;
    ensure!(target.tls.is_none(), "--url {url}: drills speak http alone");
    let target = target.reach()?;
    ensure!(
        probe::heals(&target, HEALED_WITHIN).is_some(),
        "{url} does not acknowledge creates; it must serve before it is drilled"
    );
    create_directory(&campaign.directory)?;
    let actions = |service: &String| {
        let of = |action| (format!("{service}-{action}"), (service.clone(), action));
        [Action::Kill, Action::Stop, Action::Restart].map(of)
    };
    let planned = services.iter().flat_map(actions).collect();
    let (mut table, planned) = Table::begin(&campaign.command, planned);
    in_turn(
        &mut table,
        planned,
        &campaign.directory,
        stop,
        |(service, action)| {
            let mut row = Row::named(&format!("{service}-{action}"), &action.of(&service));
            for _ in 0..campaign.length.of(1, 5) {
                if let Err(error) = drill(campaign, &project, &service, action, &target, &mut row) {
                    row.not_done = Some(format!("{error:#}"));
                    break;
                }
            }
            row
        },
    );
    Ok(table)
}

fn drill(
    campaign: &ComposeCampaign,
    project: &Project,
    service: &str,
    action: Action,
    target: &Target,
    row: &mut Row,
) -> anyhow::Result<()> {
    // Asked each time: compose may have replaced it.
    let container: Container = project.first(service)?;
    let within = container.healed_within.unwrap_or(HEALED_WITHIN);
    let patience = PATIENCE.max(within);
    let load = Load {
        target,
        database: None,
        directory: &campaign.directory,
    };
    let (done, driven) = load.beside(&profile(campaign.rate, campaign.length), || {
        thread::sleep(LEAD);
        let done = action.apply(&container);
        let healed = probe::heals(target, patience);
        let at = Instant::now();
        thread::sleep(TAIL);
        (done, (healed, at))
    })?;
    let (broken, (healed, at)) = done;
    let allowed = match container.is_published() {
        // While it is down, the engine's proxy accepts connections in its place, and holds them.
        true => Unanswered::Any,
        false => Unanswered::Cut,
    };
    // What cannot be broken, or started again, leaves a ledger that is judged all the same.
    let mut evidence = Evidence::default();
    let judged = evidence.judge(&driven, allowed, read_back(target, &driven.ledger, at));
    evidence.figures.rounds += 1;
    evidence.figures.kills += u64::from(action == Action::Kill && broken.is_ok());
    evidence.figures.healed(healed.unwrap_or(patience));
    if healed.is_none_or(|took| took > within) {
        let what = format!(
            "no ten creates in a row within {} s of the end of the fault",
            within.as_secs()
        );
        evidence.breaches.push(Breach::of(Invariant::I7, what));
    }
    row.enter(evidence);
    broken.and(judged)
}

/// Settles what is unknown in a ledger, then reads it back.
fn read_back(target: &Target, path: &Path, healed: Instant) -> anyhow::Result<(Settled, Verdict)> {
    let (header, attempts) = ledger::read(path)?;
    let settled = settle(target, &attempts, healed, SETTLE_PATIENCE);
    let verdict = verify_by_http(target, &header, &attempts, Exclusivity::Shared)
        .context("the API cannot be read back")?;
    Ok((settled, verdict))
}
