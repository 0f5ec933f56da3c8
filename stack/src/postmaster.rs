//! The postmaster: started or adopted, and waited for until its crash recovery is over.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::StackError;
use crate::folder::{Folder, failed};
use crate::ladders;
use crate::layout;
use crate::leftovers;
use crate::process::{self, Process, Wait};
use crate::programs::Postgres;
use crate::stop::Stop;

const NAME: &str = "PostgreSQL";

/// Longest crash recovery: a replay of the WAL since the last checkpoint, at most some `max_wal_size`.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(600);
/// Longest time until the orphaned backends of a killed postmaster detach from its shared memory.
const ORPHANS_TIMEOUT: Duration = Duration::from_secs(20);
const ORPHANS_POLL: Duration = Duration::from_millis(100);
/// PostgreSQL's message while orphans are still attached.
const ORPHANS_MESSAGE: &str = "pre-existing shared memory block";

/// Starts PostgreSQL, or adopts a postmaster that another program started, and waits until it is ready.
pub(crate) fn launch(
    folder: &Folder,
    postgres: &Postgres,
    port: u16,
    stop: &Stop,
) -> Result<Process, StackError> {
    let deadline = Instant::now() + ORPHANS_TIMEOUT;
    loop {
        let mut process = match leftovers::postmaster(folder) {
            Some(pid) => {
                tracing::warn!("PostgreSQL (process {pid}) was started by another program");
                Process::adopt(NAME, pid, &layout::postgres_log(folder.path()))
            }
            None => {
                leftovers::forget_postmaster(folder)?;
                spawn(folder, postgres)?
            }
        };
        let waited = process::wait(RECOVERY_TIMEOUT, stop, || {
            process.ended().is_some() || is_ready(folder.path(), process.pid())
        });
        let end = process.ended().map(str::to_owned);
        match (waited, end) {
            (Wait::Held, None) => return on_port(process, folder, port),
            (Wait::Held, Some(_))
                if process.said(ORPHANS_MESSAGE)
                    && Instant::now() < deadline
                    && !stop.wait_within(ORPHANS_POLL) => {}
            (Wait::Held, Some(end)) => {
                return Err(process.did_not_start(format!("it ended ({end})")));
            }
            (Wait::TimedOut, _) => {
                let reason = format!("it was not ready after {} s", RECOVERY_TIMEOUT.as_secs());
                let error = process.did_not_start(reason);
                return process.stop(ladders::POSTGRES).and(Err(error));
            }
            (Wait::Stopped, _) => {
                return process
                    .stop(ladders::POSTGRES)
                    .and(Err(StackError::Interrupted));
            }
        }
    }
}

/// An adopted postmaster may listen on another port; then its starter has to stop it.
fn on_port(process: Process, folder: &Folder, port: u16) -> Result<Process, StackError> {
    let text = fs::read_to_string(layout::postmaster_pid(folder.path())).unwrap_or_default();
    // The fourth line of the pid file is the port, as pg_ctl reads it.
    if process.is_adopted() && text.lines().nth(3) != Some(port.to_string().as_str()) {
        return Err(StackError::RunElsewhere {
            path: layout::cluster(folder.path()),
            pid: process.pid(),
            port,
        });
    }
    Ok(process)
}

fn spawn(folder: &Folder, postgres: &Postgres) -> Result<Process, StackError> {
    let program = postgres.bin.join("postgres");
    let mut command = process::clean_command(&program, folder.path());
    command.arg("-D").arg(layout::cluster(folder.path()));
    Process::start(NAME, &mut command, &layout::postgres_log(folder.path()))
        .map_err(failed("run", &program))
}

/// Readiness as pg_ctl finds it: the eighth line of the pid file is the state.
fn is_ready(data: &Path, pid: u32) -> bool {
    let Ok(text) = fs::read_to_string(layout::postmaster_pid(data)) else {
        return false;
    };
    let mut lines = text.lines();
    lines.next() == Some(pid.to_string().as_str())
        && lines.nth(6).is_some_and(|state| state.trim() == "ready")
}
