//! Another load tool and this one against a database that loses what it has acknowledged: what each says of it.

mod columns;
mod hey;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, bail};

use self::columns::side_by_side;
use self::hey::{Hey, HeyOutput};
use crate::control::Cluster;
use crate::exit::Exit;
use crate::files::create_directory;
use crate::ledger;
use crate::live::View;
use crate::output::say;
use crate::profile::{Overrides, Profile};
use crate::report;
use crate::result::RunResult;
use crate::run::{RunConfig, run};
use crate::server::Server;
use crate::stack::Programs;
use crate::verify::verify_directly;

/// How many creates each tool sends, and how many a second.
const CREATES: u32 = 5000;
const RATE: u32 = 1000;

/// How often a tool is run again after a round in which PostgreSQL happened to have written everything.
const ROUNDS_MAX: u32 = 5;

/// What is demonstrated, and where.
#[derive(Debug)]
pub struct Demonstration {
    /// The programs under test.
    pub programs: Programs,
    /// Where the ledger, the report and the other tool's output go.
    pub directory: PathBuf,
}

/// Has each tool send its creates, kills PostgreSQL when the last answer has come, starts it again, and prints what
/// both say beside each other. Passed means that every create was acknowledged to both, that rows of both are gone,
/// and that this tool said so.
///
/// # Errors
/// When the other tool is not installed, or a step cannot be taken.
pub fn demo_lost(demonstration: &Demonstration) -> anyhow::Result<Exit> {
    let hey = Hey::find()?;
    create_directory(&demonstration.directory)?;
    say(format_args!(
        "starting a PostgreSQL that answers a commit before it is on the disk (synchronous_commit = off)"
    ));
    let mut cluster = Cluster::create(&demonstration.programs)?;
    cluster.prepare(&demonstration.programs.server, false)?;
    let (theirs, their_loss) = until_lost("hey", || by_hey(demonstration, &mut cluster, &hey))?;
    let (ours, our_loss) = until_lost("warrior-load", || by_ledger(demonstration, &mut cluster))?;
    let mut right: Vec<String> = report::verdict_lines(&ours)
        .lines()
        .map(str::to_owned)
        .collect();
    right.extend(report::reasons(&ours));
    let columns = side_by_side(
        &theirs.command,
        "warrior-load, with its ledger",
        &theirs.summary,
        &right,
    );
    say(format_args!("\n{columns}"));
    let acknowledged = theirs.acknowledged;
    say(format_args!(
        "Every create was answered 201, to both; then PostgreSQL was killed and started again.\n\
         hey says {acknowledged} of {acknowledged}: {their_loss} of these rows are gone, and nothing in its output can \
         say so.\nwarrior-load says lost {our_loss} of {}, and its report names them.",
        ours.total.succeeded
    ));
    let files = report::write(&ours, &demonstration.directory)?;
    say(format_args!("report: {}", files.html.display()));
    let told = ours
        .verification
        .iter()
        .any(|verdict| verdict.lost == our_loss);
    Ok(if told { Exit::Passed } else { Exit::Invalid })
}

/// Runs rounds until one has lost rows; what the tool said then, and how many.
fn until_lost<T>(
    tool: &str,
    mut round: impl FnMut() -> anyhow::Result<(T, u64)>,
) -> anyhow::Result<(T, u64)> {
    for number in 1..=ROUNDS_MAX {
        say(format_args!(
            "{tool}: {CREATES} creates, {RATE} a second; then PostgreSQL is killed"
        ));
        let (said, lost) = round().with_context(|| format!("{tool}, round {number}"))?;
        if lost > 0 {
            return Ok((said, lost));
        }
        say(format_args!("it had written everything in time; once more"));
    }
    bail!(
        "PostgreSQL lost nothing in {ROUNDS_MAX} rounds, so there is nothing to show: run this again"
    )
}

fn by_hey(
    demonstration: &Demonstration,
    cluster: &mut Cluster,
    hey: &Hey,
) -> anyhow::Result<(HeyOutput, u64)> {
    let before = rows(cluster)?;
    let server = Server::start(cluster.server_command(&demonstration.programs.server)?)?;
    let output = hey.create(&server.target, CREATES, RATE)?;
    kill(cluster, server)?;
    let kept = rows(cluster)? - before;
    output.keep(&demonstration.directory)?;
    let sent = u64::from(CREATES);
    anyhow::ensure!(
        output.acknowledged == sent,
        "hey counts {} of {sent} answers 201:\n{}",
        output.acknowledged,
        output.summary.join("\n")
    );
    Ok((output, sent.saturating_sub(kept)))
}

fn by_ledger(
    demonstration: &Demonstration,
    cluster: &mut Cluster,
) -> anyhow::Result<(RunResult, u64)> {
    let before = rows(cluster)?;
    let server = Server::start(cluster.server_command(&demonstration.programs.server)?)?;
    let seconds = CREATES / RATE;
    let profile = format!(
        "name = 'creates'\nthresholds = ['success == 100%']\n[[scenario]]\nname = 'create'\n\
         request = 'create-valid'\narrivals = [{{ rate = {RATE}, for = '{seconds}s' }}]\n"
    );
    let config = RunConfig {
        profile: Profile::parse(&profile, Path::new("."))?,
        target: server.target.clone(),
        overrides: Overrides {
            // How busy this machine is does not matter to what is lost.
            lateness_max: Some(Duration::from_secs(60)),
            ..Overrides::seeded(uuid::Uuid::new_v4().as_u64_pair().0 >> 12)
        },
        directory: demonstration.directory.clone(),
        database: None,
        verify: false,
        admin: None,
        fsync_directory: None,
    };
    let stop = Arc::new(AtomicBool::new(false));
    let mut result = run(&config, &stop, View::Quiet)?;
    kill(cluster, server)?;
    let kept = rows(cluster)? - before;
    let name = result.ledger.as_ref().context("creates leave a ledger")?;
    let (header, attempts) = ledger::read(&demonstration.directory.join(name))?;
    let verdict = verify_directly(&cluster.runtime(), &header, &attempts, None)?;
    if !verdict.holds() {
        result.exit = Exit::Lost;
    }
    result.verification.push(verdict);
    Ok((result.clone(), result.total.succeeded.saturating_sub(kept)))
}

/// Kills PostgreSQL, ends the server, and starts PostgreSQL again, which then recovers.
fn kill(cluster: &mut Cluster, server: Server) -> anyhow::Result<()> {
    cluster.kill()?;
    drop(server);
    cluster.start()
}

fn rows(cluster: &Cluster) -> anyhow::Result<u64> {
    let mut client = cluster.runtime().connect()?;
    let row = client.query_one("select count(*) from public.warrior", &[])?;
    Ok(u64::try_from(row.try_get::<_, i64>(0)?)?)
}
