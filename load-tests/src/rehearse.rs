//! The way from a DuckDB file to PostgreSQL and back, rehearsed on a throw-away stack: what it takes, how long clients
//! would wait for it, and whether every warrior that was acknowledged in between is there in the end.

mod creates;
mod left;
mod proof;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

pub use self::creates::creates;
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

/// The exit status of `duckdb check` when a row is missing or changed.
const CHECK_DIFFERS: i32 = 5;

/// Variables of the server that have no meaning with a DuckDB file.
const OF_POSTGRESQL: [&str; 15] = [
    "POSTGRES_HOST",
    "POSTGRES_PORT",
    "POSTGRES_DIRECT_HOST",
    "POSTGRES_DIRECT_PORT",
    "POSTGRES_DB",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "POSTGRES_PASSWORD_FILE",
    "POSTGRES_OWNER",
    "POSTGRES_OWNER_PASSWORD",
    "POSTGRES_OWNER_PASSWORD_FILE",
    "POSTGRES_TLS",
    "POSTGRES_TLS_CA",
    "DB_POOL_MIN",
    "DB_POOL_MAX",
];

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

/// The steps that were taken, and how long each took.
#[derive(Default)]
struct Steps {
    taken: Vec<Step>,
}

struct Step {
    name: &'static str,
    took: Duration,
    /// During which of the two ways clients wait for it.
    waits: Option<Way>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Over,
    Back,
}

/// A child of the rehearsal that found rows missing or changed.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` found rows that differ; its output above names them")]
struct RowsDiffer(String);

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

/// The flags, whose file of rejects is meant from here: the server runs elsewhere.
fn absolute_rejects(flags: &[String]) -> anyhow::Result<Vec<String>> {
    let mut is_path = false;
    let absolute = |path: &str| -> anyhow::Result<String> {
        Ok(std::path::absolute(path)?.to_string_lossy().into_owned())
    };
    let flag = |flag: &String| {
        let path = std::mem::replace(&mut is_path, flag == "--rejects");
        match flag.strip_prefix("--rejects=") {
            _ if path => absolute(flag),
            Some(path) => Ok(format!("--rejects={}", absolute(path)?)),
            None => Ok(flag.clone()),
        }
    };
    flags.iter().map(flag).collect()
}

/// Runs a command of the server to its end; what it says goes to ours.
fn finish(command: &mut Command) -> anyhow::Result<()> {
    let what = command
        .get_args()
        .map(|argument| argument.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ");
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if status.code() == Some(CHECK_DIFFERS) {
        return Err(RowsDiffer(what).into());
    }
    if !status.success() {
        bail!("`{what}` ended with {status}; its output above says why");
    }
    Ok(())
}

/// The server on a file; what the environment says of a PostgreSQL is not for it.
fn serve_locally(server: &Path, file: &Path, cluster: &Cluster) -> anyhow::Result<Command> {
    let mut command = Command::new(server);
    for variable in OF_POSTGRESQL {
        command.env_remove(variable);
    }
    command
        .env("DB_MODE", "local")
        .env("DUCKDB_FILE", file)
        // The one of the server on PostgreSQL, so that keys mean the same on both sides.
        .env_remove("IDEMPOTENCY_SECRET")
        .env(
            "IDEMPOTENCY_SECRET_FILE",
            cluster.idempotency_secret_file()?,
        )
        // Where there is no .env that would have a say.
        .current_dir("/");
    Ok(command)
}

impl Steps {
    fn take<T>(
        &mut self,
        name: &'static str,
        waits: Option<Way>,
        step: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        say(format_args!("== {name}"));
        let began = Instant::now();
        let done = step();
        self.taken.push(Step {
            name,
            took: began.elapsed(),
            waits,
        });
        done.with_context(|| format!("the step `{name}` failed"))
    }

    fn wait(&self, way: Way) -> f64 {
        let waits = self.taken.iter().filter(|step| step.waits == Some(way));
        waits.map(|step| step.took).sum::<Duration>().as_secs_f64()
    }

    fn print(&self) {
        say(format_args!("\n{:<38} {:>9}  clients", "step", "seconds"));
        for step in &self.taken {
            let clients = if step.waits.is_some() {
                "wait"
            } else {
                "do not wait"
            };
            say(format_args!(
                "{:<38} {:>9.1}  {clients}",
                step.name,
                step.took.as_secs_f64()
            ));
        }
        say(format_args!(
            "clients would wait {:.1} s on the way over, {:.1} s on the way back",
            self.wait(Way::Over),
            self.wait(Way::Back)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_rejects_is_meant_from_where_the_rehearsal_runs() {
        let flags = ["--rejects", "a b", "--rejects=c", "--table", "d"].map(str::to_owned);
        let here = std::env::current_dir().unwrap();
        let (first, second) = (here.join("a b"), here.join("c"));
        let expected = [
            "--rejects".to_owned(),
            first.display().to_string(),
            format!("--rejects={}", second.display()),
            "--table".to_owned(),
            "d".to_owned(),
        ];
        assert_eq!(absolute_rejects(&flags).unwrap(), expected);
    }
}
