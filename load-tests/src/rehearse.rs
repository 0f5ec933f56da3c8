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
use crate::exit::{Exit, Interrupted};
use crate::files::create_directory;
use crate::live::View;
use crate::output::{print_error, say};
use crate::profile::{Overrides, Profile};
use crate::report;
use crate::run::{RunConfig, run};
use crate::server::Server;
use crate::stack::Programs;
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
    let cluster = steps.take("start a throw-away stack", None, || {
        let cluster = Cluster::create(&Programs::of_machine(&rehearsal.server))?;
        cluster.apply_schema(&rehearsal.server)?;
        Ok(cluster)
    })?;
    let library = (rehearsal.library.as_ref())
        .map(std::path::absolute)
        .transpose()?;
    let road = Road {
        server: &rehearsal.server,
        library,
        cluster,
        stop,
    };
    let flags = absolute_rejects(&rehearsal.flags)?;
    let serving = road.over(&file, &flags, steps)?;
    let before = proof::create_with_the_key(&serving.target)?;
    let config = RunConfig {
        profile: rehearsal.profile.clone(),
        target: serving.target.clone(),
        overrides: rehearsal.overrides.clone(),
        directory: directory.clone(),
        database: Some(road.cluster.runtime()),
        verify: true,
        admin: None,
        fsync_directory: None,
    };
    let result = steps.take("load", None, || run(&config, stop, View::Plain))?;
    say(format_args!("{}", report::verdict_lines(&result)));
    let written = report::write(&result, &directory);
    let back = written.and_then(|_| {
        let ledger = directory.join(result.ledger.as_ref().context(
            "the profile creates nothing, so nothing could be read back: choose another --profile",
        )?);
        road.back(serving, &ledger, &exported, &before, steps)
    });
    ended(result.exit, back)
}

/// The exit of the load and of the way back: a write that the load lost is a fact, whatever became of the way back.
fn ended(load: Exit, back: anyhow::Result<Exit>) -> anyhow::Result<Exit> {
    if load == Exit::Lost {
        back.inspect_err(print_error).ok();
        return Ok(Exit::Lost);
    }
    Ok(match back? {
        Exit::Passed => load,
        exit => exit,
    })
}

/// The road between a file and the throw-away stack.
struct Road<'a> {
    server: &'a Path,
    library: Option<PathBuf>,
    cluster: Cluster,
    stop: &'a AtomicBool,
}

impl Road<'_> {
    fn over(&self, file: &Path, flags: &[String], steps: &mut Steps) -> anyhow::Result<Server> {
        steps.take("import", Some(Way::Over), || {
            self.duckdb("import", file, flags)
        })?;
        steps.take("check", Some(Way::Over), || {
            self.duckdb("check", file, flags)
        })?;
        steps.take("serve from PostgreSQL", Some(Way::Over), || {
            let mut command = self.cluster.server_command(self.server)?;
            command.env("POSTGRES_PORT", self.cluster.pooler_port().to_string());
            Server::start(command)
        })
    }

    /// `before` is the id that the one key has on PostgreSQL.
    fn back(
        &self,
        serving: Server,
        ledger: &Path,
        exported: &Path,
        before: &str,
        steps: &mut Steps,
    ) -> anyhow::Result<Exit> {
        steps.take("drain", Some(Way::Back), || serving.stop())?;
        steps.take("export", Some(Way::Back), || {
            self.duckdb("export", exported, &[])
        })?;
        // The export has compared every row already; nobody waits for what another process says of it.
        steps.take("check the export", None, || {
            self.duckdb("check", exported, &[])
        })?;
        let local = steps.take("serve from the file", Some(Way::Back), || {
            let mut command = serve_locally(self.server, exported, &self.cluster)?;
            command.envs(self.library_variable());
            Server::start(command)
        })?;
        let (verdicts, after) = steps.take("read every acknowledged warrior back", None, || {
            let verdicts = verify_ledger(ledger, &local.target, None, Exclusivity::Exclusive)?;
            Ok((verdicts, proof::create_with_the_key(&local.target)?))
        })?;
        local.stop()?;
        say(format_args!(
            "{} is kept; remove it once nobody needs it",
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
        let in_postgresql = (self.cluster.runtime().connect()?)
            .query_one("select count(*) from public.warrior", &[])?
            .try_get::<_, i64>(0)?;
        Ok(proof::judged(&verdicts, u64::try_from(in_postgresql)?))
    }

    fn duckdb(&self, action: &str, file: &Path, flags: &[String]) -> anyhow::Result<()> {
        ensure!(!self.stop.load(Ordering::Relaxed), Interrupted);
        let mut command = self.cluster.owner_command(self.server)?;
        // It runs elsewhere, where a relative path leads to nothing.
        command.envs(self.library_variable());
        finish(command.args(["duckdb", action]).arg(file).args(flags))
    }

    fn library_variable(&self) -> Option<(&'static str, &Path)> {
        Some(("DUCKDB_LIBRARY", self.library.as_deref()?))
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_way_back_hides_no_lost_write() {
        for (load, back, exit) in [
            (Exit::Passed, Exit::Passed, Exit::Passed),
            (Exit::ThresholdMissed, Exit::Passed, Exit::ThresholdMissed),
            (Exit::ThresholdMissed, Exit::Invalid, Exit::Invalid),
            (Exit::Passed, Exit::Lost, Exit::Lost),
            (Exit::Lost, Exit::Invalid, Exit::Lost),
        ] {
            assert_eq!(ended(load, Ok(back)).expect("it was taken"), exit);
        }
        let failed = || Err(anyhow!("the export failed"));
        assert!(ended(Exit::Passed, failed()).is_err());
        assert_eq!(ended(Exit::Lost, failed()).expect("a verdict"), Exit::Lost);
    }
}
