//! The way from a DuckDB file to PostgreSQL and back, rehearsed on a throw-away stack: what it takes, how long clients
//! would wait for it, and whether every warrior that was acknowledged in between is there in the end.

mod commands;
mod creates;
mod left;
mod proof;
mod steps;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, ensure};

use self::commands::{RowsDiffer, absolute_rejects, finish, serve_locally};
pub use self::creates::creates;
use self::steps::{Steps, Way};
use crate::control::Cluster;
use crate::exit::Exit;
use crate::files::create_directory;
use crate::live::View;
use crate::output::{print_error, say};
use crate::profile::{Overrides, Profile};
use crate::report;
use crate::run::{RunConfig, run};
use crate::server::Server;
use crate::verify::{Exclusivity, verify_ledger};

/// What is rehearsed.
pub struct Rehearsal {
    /// The server's binary.
    pub server: PathBuf,
    /// The DuckDB file; it is only read.
    pub file: PathBuf,
    /// The libduckdb to load, where it is not the first that is found.
    pub library: Option<PathBuf>,
    /// Further flags of `duckdb import` and `duckdb check`: `--table`, `--map`.
    pub flags: Vec<String>,
    /// The load between the way over and the way back.
    pub profile: Profile,
    /// Its seed and so on.
    pub overrides: Overrides,
    /// Where the ledger, the results and the exported file go.
    pub directory: PathBuf,
}

/// Goes over and back.
///
/// # Errors
/// When a step cannot be taken.
pub fn rehearse(rehearsal: &Rehearsal, stop: &Arc<AtomicBool>) -> anyhow::Result<Exit> {
    let mut steps = Steps::default();
    let ended = all_steps(rehearsal, stop, &mut steps);
    steps.print();
    match ended {
        Err(error) if error.is::<RowsDiffer>() => {
            print_error(&error);
            Ok(Exit::Lost)
        }
        ended => ended,
    }
}

fn all_steps(
    rehearsal: &Rehearsal,
    stop: &Arc<AtomicBool>,
    steps: &mut Steps,
) -> anyhow::Result<Exit> {
    let file = std::path::absolute(&rehearsal.file)?;
    ensure!(
        file.is_file(),
        "{} is not there, or is no file",
        file.display()
    );
    create_directory(&rehearsal.directory)?;
    left::remove(&rehearsal.directory)
        .with_context(|| format!("cannot tidy {}", rehearsal.directory.display()))?;
    let directory = std::path::absolute(&rehearsal.directory)?;
    let exported = directory.join(format!("rehearsal-{}.duckdb", uuid::Uuid::now_v7()));
    let server = &rehearsal.server;
    let library = (rehearsal.library.as_ref())
        .map(std::path::absolute)
        .transpose()?;
    let flags = absolute_rejects(&rehearsal.flags)?;

    let cluster = steps.take("start a throw-away stack", None, || {
        let cluster = Cluster::create(server, None)?;
        cluster.apply_schema(server)?;
        Ok(cluster)
    })?;
    let duckdb = |action: &str, file: &Path, flags: &[String]| {
        ensure!(!stop.load(Ordering::Relaxed), "stopped");
        let mut command = cluster.owner_command(server)?;
        // It runs elsewhere, where a relative path leads to nothing.
        command.envs(library.iter().map(|library| ("DUCKDB_LIBRARY", library)));
        finish(command.args(["duckdb", action]).arg(file).args(flags))
    };
    steps.take("import", Some(Way::Over), || {
        duckdb("import", &file, &flags)
    })?;
    steps.take("check", Some(Way::Over), || duckdb("check", &file, &flags))?;
    let serving = steps.take("serve from PostgreSQL", Some(Way::Over), || {
        let mut command = cluster.server_command(server)?;
        command.env("POSTGRES_PORT", cluster.pooler_port().to_string());
        Server::start(command)
    })?;
    let before = proof::create_with_the_key(&serving.target)?;
    let config = RunConfig {
        profile: rehearsal.profile.clone(),
        target: serving.target.clone(),
        overrides: rehearsal.overrides.clone(),
        directory: directory.clone(),
        database: Some(cluster.runtime()),
        verify: true,
        admin: None,
        fsync_directory: None,
    };
    let result = steps.take("load", None, || run(&config, stop, View::Plain))?;
    say(format_args!("{}", report::verdict_lines(&result)));
    report::write(&result, &directory)?;
    let ledger = directory.join(result.ledger.context(
        "the profile creates nothing, so nothing could be read back: choose another --profile",
    )?);

    steps.take("drain", Some(Way::Back), || serving.stop())?;
    steps.take("export", Some(Way::Back), || {
        duckdb("export", &exported, &[])
    })?;
    // The export has compared every row already; nobody waits for what another process says of it.
    steps.take("check the export", None, || duckdb("check", &exported, &[]))?;
    let local = steps.take("serve from the file", Some(Way::Back), || {
        let mut command = serve_locally(server, &exported, &cluster)?;
        command.envs(library.iter().map(|library| ("DUCKDB_LIBRARY", library)));
        Server::start(command)
    })?;
    let (verdicts, after) = steps.take("read every acknowledged warrior back", None, || {
        let verdicts = verify_ledger(&ledger, &local.target, None, Exclusivity::Exclusive)?;
        Ok((verdicts, proof::create_with_the_key(&local.target)?))
    })?;
    local.stop()?;
    say(format_args!(
        "{} is kept, and holds every warrior; remove it once nobody needs it",
        exported.display()
    ));
    for verdict in &verdicts {
        say(format_args!("from {}: {verdict}", exported.display()));
    }
    if before != after {
        say(format_args!(
            "the key of {before} makes {after} on the file: a create that is repeated after the switch is stored twice"
        ));
        return Ok(Exit::Lost);
    }
    // The server on PostgreSQL is drained, and nobody else has the cluster.
    let in_postgresql = cluster
        .runtime()
        .connect()?
        .query_one("select count(*) from public.warrior", &[])?
        .try_get::<_, i64>(0)?;
    Ok(
        match proof::judged(&verdicts, u64::try_from(in_postgresql)?) {
            Exit::Passed => result.exit,
            exit => exit,
        },
    )
}
